import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '../model/signature.ts';
import { readLabels } from './labels.ts';

const output = (name: string, datatype: TensorSpec['datatype'], shape: number[]): TensorSpec => ({
  name,
  datatype,
  shape,
  dimensionNames: shape.map(() => undefined),
});

const signature: Signature = {
  inputs: [],
  outputs: [
    output('label', 'INT64', [-1]),
    output('scores', 'FP32', [-1, 3]),
    output('embedding', 'FP32', [-1, 8]),
    output('map', 'FP32', [1, 3, 1, 1]),
  ],
  batchAxis: 0,
};
const names = ['cat', 'dog', 'owl'];
const everywhere = { label: names, scores: names, map: names };
const fromFile = (text: string) => readLabels(signature, {}, { path: 'labels.json', text });

describe('readLabels', () => {
  it('gives one list to every output that it can describe', () => {
    expect(fromFile('["cat","dog","owl"]')).toEqual(everywhere);
    expect(fromFile('{"0":"cat","1":"dog","2":"owl"}')).toEqual(everywhere);
    expect(fromFile('cat\ndog\r\nowl\n')).toEqual(everywhere);
  });

  it('takes lists by output', () => {
    expect(fromFile('{"scores":["a","b","c"]}')).toEqual({ scores: ['a', 'b', 'c'] });
  });

  it.each([
    ['json', '["cat","dog","owl"]'],
    ['commas', 'cat, dog, owl'],
    ['the Python dict that Ultralytics writes', "{0: 'cat', 1: 'dog', 2: 'owl'}"],
  ])('finds them in metadata as %s', (_form, text) => {
    expect(readLabels(signature, { names: text }, undefined)).toEqual(everywhere);
  });

  it('prefers the file, and has none where there are none', () => {
    const text = '["x","y","z"]';
    expect(readLabels(signature, { labels: 'a,b,c' }, { path: 'f', text }).scores).toEqual(['x', 'y', 'z']);
    expect(readLabels(signature, {}, undefined)).toEqual({});
  });

  it.each([
    ['an unknown output', '{"nope":["a"]}', "'nope' is no output"],
    ['broken JSON', '["a",', 'expected a JSON array of names'],
    ['names that are no strings', '[1,2]', 'expected a JSON array of names'],
  ])('refuses %s', (_case, text, message) => {
    expect(() => fromFile(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });
});
