import { describe, expect, it } from 'vitest';
import { type KnownHead, parseHead, takeHead } from './head.ts';

const USUAL = ['POST /v2/models/iris/infer HTTP/1.1', 'Host: a.example:8000', 'Content-Length: 12'];

const textOf = (...more: readonly string[]) => [...USUAL, ...more].join('\r\n');
const bytesOf = (...more: readonly string[]) => Buffer.from(`${textOf(...more)}\r\n\r\n`, 'latin1');

function expectKnown(taken: ReturnType<typeof takeHead>): KnownHead {
  if (taken === undefined || taken === 'more') throw new Error(`expected a head, got ${taken}`);
  return taken;
}

describe('parseHead', () => {
  it('reads what is asked for', () => {
    const line = 'POST /v2/models/a%2Fb/versions/2/infer?trace=1 HTTP/1.1';
    const text = [line, 'host: x', 'content-length: 0', 'inference-header-content-length: 7'].join('\r\n');
    expect(parseHead(text)).toMatchObject({
      name: 'a/b',
      version: '2',
      route: '/v2/models/{model}/versions/{version}/infer',
      headerLength: 7,
      bodyBytes: 0,
    });
  });

  it('gives fields in lower case, without the spaces and tabs before them and nothing else', () => {
    const { headers } = parseHead(textOf('X-Tenant:\t blue', 'x-empty: \t', 'x-wide:\u00a0b\u00a0'))!;
    expect({ ...headers }).toEqual({
      host: 'a.example:8000',
      'content-length': '12',
      'x-tenant': 'blue',
      'x-empty': '',
      'x-wide': '\u00a0b\u00a0',
    });
    expect(headers.constructor).toBeUndefined();
  });

  it.each([
    ['another method', 'PUT /v2/models/iris/infer HTTP/1.1'],
    ['a method in lower case', 'post /v2/models/iris/infer HTTP/1.1'],
    ['another version', 'POST /v2/models/iris/infer HTTP/1.0'],
    ['another route', 'POST /v2/models/iris/ready HTTP/1.1'],
    ['the absolute form', 'POST http://a/v2/models/iris/infer HTTP/1.1'],
    ['a fragment', 'POST /v2/models/iris#a/infer HTTP/1.1'],
    ['a path beyond ASCII', 'POST /v2/models/\u00ff/infer HTTP/1.1'],
    ['a path that is not encoded', 'POST /v2/models/%zz/infer HTTP/1.1'],
    ['two spaces', 'POST  /v2/models/iris/infer HTTP/1.1'],
  ])('leaves %s to node:http', (_what, line) => {
    expect(parseHead([line, ...USUAL.slice(1)].join('\r\n'))).toBeUndefined();
  });

  it.each([
    'x-a: b ',
    'x-a: b\t',
    'host: again',
    'content-length: 12',
    'x-a: 1\r\nX-A: 2',
    'transfer-encoding: chunked',
    'transfer-encoding:',
    'content-encoding: gzip',
    'expect: 100-continue',
    'upgrade: h2c',
    'trailer: x',
    'set-cookie: a=b',
    'connection: close',
    'connection: keep-alive, upgrade',
    'proxy-connection: close',
    'content-type: text/plain',
    'inference-header-content-length: -1',
    'x a: b',
    'x-a : b',
    ': b',
    'x-a',
    ' folded',
    'x-a: b\rc',
    'x-a: b\nc',
    'x-a: \0',
    'x-a: \x7f',
    'x-\u00e4: b',
    ...['', '\r\n'],
  ])('leaves %j to node:http', (line) => {
    expect(parseHead(textOf(line))).toBeUndefined();
  });

  it.each(['', '-1', '+1', '1.0', '1e1', '0x1', '1 2', '1,1', '12345678901'])(
    'leaves a length of %j to node:http',
    (length) => {
      expect(parseHead([USUAL[0], USUAL[1], `content-length: ${length}`].join('\r\n'))).toBeUndefined();
    },
  );

  it('leaves heads without a host or a length to node:http, and such with very many fields', () => {
    expect(parseHead([USUAL[0], USUAL[1]].join('\r\n'))).toBeUndefined();
    expect(parseHead([USUAL[0], USUAL[2]].join('\r\n'))).toBeUndefined();
    expect(parseHead([USUAL[0], 'host: a b', USUAL[2]].join('\r\n'))).toBeUndefined();
    const many = (count: number) => textOf(...Array.from({ length: count }, (_, i) => `x-${i}: b`));
    expect(parseHead(many(98))).toBeDefined();
    expect(parseHead(many(99))).toBeUndefined();
  });
});

describe('takeHead', () => {
  it('takes a head from the start of the bytes, and keeps its own copy', () => {
    const bytes = Buffer.concat([bytesOf(), Buffer.from('BODY')]);
    const { bytes: own, head } = expectKnown(takeHead(bytes, undefined));
    expect(head.bodyBytes).toBe(12);
    bytes.fill(0);
    expect(own).toEqual(bytesOf());
  });

  it('gives the known head where the bytes say the same, and only there', () => {
    const known = expectKnown(takeHead(bytesOf('x-a: 1'), undefined));
    expect(takeHead(Buffer.concat([bytesOf('x-a: 1'), Buffer.from('B')]), known)).toBe(known);
    expect(expectKnown(takeHead(bytesOf('x-a: 2'), known)).head.headers['x-a']).toBe('2');
    expect(expectKnown(takeHead(bytesOf(), known)).head.headers['x-a']).toBeUndefined();
    expect(takeHead(known.bytes.subarray(0, -1), known)).toBe('more');
  });

  it('asks for more wherever a head is cut, and for nothing after it', () => {
    const bytes = bytesOf('x-a: 1');
    for (let at = 0; at < bytes.length; at += 1)
      expect(takeHead(bytes.subarray(0, at), undefined)).toBe('more');
    expectKnown(takeHead(bytes, undefined));
  });

  it.each([
    'GET /',
    'POST /v1',
    'post',
    '\r\n',
    'POST /v2/models/a\0',
    'POST /v2/models/a\n',
    'POST /v2/models/a\rb',
    'POST /v2/models/a/infer HTTP/1.0\r\n',
    'POST /v2/models/a/infer HTTP/1.1\r\nx y: z\r\n',
    'POST /v2/models/a/infer HTTP/1.1\r\nx: \x01\r\n',
    'POST /v2/models/a/infer HTTP/1.1\r\nno colon\r\n',
    'POST /v2/models/a/infer HTTP/1.1\r\nx: y\n',
    `POST /v2/models/a/infer HTTP/1.1\r\nx: ${'y'.repeat(9000)}`,
  ])('does not wait for the end of %j', (start) => {
    expect(takeHead(Buffer.from(start, 'latin1'), undefined)).toBeUndefined();
  });

  it('leaves long heads to node:http', () => {
    expect(takeHead(bytesOf(`x-a: ${'b'.repeat(9000)}`), undefined)).toBeUndefined();
  });
});
