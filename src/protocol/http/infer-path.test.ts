import { describe, expect, it } from 'vitest';
import { decodeSegment, matchInferPath, toOriginForm } from './infer-path.ts';

describe('matchInferPath', () => {
  it.each([
    ['/v2/models/iris/infer', { model: 'iris', version: undefined }],
    ['/v2/models/iris/infer?a=1', { model: 'iris', version: undefined }],
    ['/v2/models/iris/versions/3/infer', { model: 'iris', version: '3' }],
    ['/v2/models/a%2Fb%20c/infer', { model: 'a%2Fb%20c', version: undefined }],
    ['/v2/models/infer/infer', { model: 'infer', version: undefined }],
    ['/v2/models/versions/versions/versions/infer', { model: 'versions', version: 'versions' }],
  ])('%s', (url, path) => {
    expect(matchInferPath(url)).toEqual(path);
  });

  it.each([
    '/v2/models//infer',
    '/v2/models/infer',
    '/v2/models/iris/infer/',
    '/v2/models/iris/versions//infer',
    '/v2/models/iris/versions/infer',
    '/v2/models/iris/versions/1/2/infer',
    '/v2/models/iris/other/1/infer',
    '/v2/models//versions/1/infer',
    '/v2/models/iris?x=/infer',
    '/v1/models/iris/infer',
    '*',
  ])('%s is another route', (url) => {
    expect(matchInferPath(url)).toBeUndefined();
  });
});

describe('decodeSegment', () => {
  it('decodes slashes, spaces and unicode', () => {
    expect(decodeSegment(encodeURIComponent('team/größe 中'), 'model')).toBe('team/größe 中');
  });

  it.each(['%', '%zz', '%ff', 'a%2'])('refuses %s and says where', (segment) => {
    expect(() => decodeSegment(segment, 'version')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining('version') }),
    );
  });
});

describe('toOriginForm', () => {
  it.each([
    ['/v2?a=http://b/', '/v2?a=http://b/'],
    ['http://host:8000/v2/models/a/infer?x=1', '/v2/models/a/infer?x=1'],
    ['HTTPS://host', '/'],
    ['http://host?x=1', '/?x=1'],
    ['*', '*'],
  ])('%s becomes %s', (target, expected) => {
    expect(toOriginForm(target)).toBe(expected);
  });
});
