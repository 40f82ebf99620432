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
const fromFile = (text: string) => readLabels(signature, {}, { path: 'labels.json', text }).labels;

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
    expect(readLabels(signature, { names: text }, undefined).labels).toEqual(everywhere);
  });

  it('prefers the file, and has none where there are none', () => {
    const text = '["x","y","z"]';
    expect(readLabels(signature, { labels: 'a,b,c' }, { path: 'f', text }).labels.scores).toEqual([
      'x',
      'y',
      'z',
    ]);
    expect(readLabels(signature, {}, undefined)).toEqual({ labels: {} });
  });

  it.each(['["a","b"]', '{"0":"a","1":"b"}', 'a\nb'])(
    'says why a list that fits no output is not used: %s',
    (text) => {
      const scores = { ...signature, outputs: [output('scores', 'FP32', [-1, 3])] };
      const file = { path: '/m/labels.json', text };
      expect(readLabels(scores, {}, file)).toEqual({
        labels: {},
        misfit: expect.stringMatching(
          /^\/m\/labels.json has 2 names.*'scores' \(FP32 \[.*3\]\).*\{"scores": \[/,
        ),
      });
      expect(readLabels(scores, { names: 'a,b' }, undefined)).toEqual({ labels: {} });
    },
  );

  it('tells where scores have another number of classes than class indexes get names', () => {
    const found = readLabels(signature, {}, { path: 'labels.json', text: '["cat","dog"]' });
    expect(found).toEqual({
      labels: { label: ['cat', 'dog'] },
      misfit:
        "labels.json has 2 names, and output 'scores' has 3 classes; only 'label' is served with names; mend the list",
    });
    const embedding = {
      ...signature,
      outputs: [signature.outputs[0]!, output('embedding', 'FP32', [-1, 8])],
    };
    expect(readLabels(embedding, {}, { path: 'f', text: 'cat\ndog' })).toEqual({
      labels: { label: ['cat', 'dog'] },
    });
  });

  it('takes for an output by name any number of names, but where its classes can be counted', () => {
    const loose = {
      ...signature,
      outputs: [output('scores', 'FP32', [-1, -1]), output('label', 'INT64', [-1])],
    };
    const text = '{"scores":["a","b"],"label":["c"]}';
    expect(readLabels(loose, {}, { path: 'f', text }).labels).toEqual(JSON.parse(text));
  });

  it.each([
    ['an unknown output', '{"nope":["a"]}', "'nope' is no output"],
    ['too few names for an output', '{"scores":["a","b"]}', 'scores: expected 3 names, one a class, got 2'],
    ['broken JSON', '["a",', 'expected a JSON array of names'],
    ['names that are no strings', '[1,2]', 'expected a JSON array of names'],
  ])('refuses %s', (_case, text, message) => {
    expect(() => fromFile(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });
});
