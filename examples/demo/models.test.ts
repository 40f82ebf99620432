import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createContext,
  createInferRequest,
  loadModel,
  type ServedModel,
  type Tensor,
  type TensorData,
  toBytesData,
  toStrings,
} from '../../src/index.ts';

const demo = import.meta.dirname;

describe('the demo models, as nimify serves them', () => {
  const models = new Map<string, ServedModel>();

  beforeAll(async () => {
    for (const name of ['langid', 'churn', 'iris', 'digits']) {
      models.set(name, await loadModel(join(demo, name)));
    }
  });
  afterAll(async () => {
    for (const { model } of models.values()) await model.close({ graceMs: 1000 });
  });

  async function ask(name: string, inputs: readonly Tensor[]): Promise<Record<string, TensorData>> {
    const response = await models
      .get(name)!
      .model.infer(createInferRequest({ model: name, inputs }), createContext());
    return Object.fromEntries(response.outputs.map((output) => [output.name, output.data]));
  }

  it.each([
    ['langid', 'fr'],
    ['churn', 'churn'],
    ['iris', 0n],
    ['digits', 3n],
  ])('%s answers its example.json with %s', (name, answer) => {
    const example = models.get(name)!.example!;
    expect(example.origin).toBe('file');
    const label = example.outputs.find((output) => output.name === 'label')!;
    expect(toValues(label.data)).toEqual([answer]);
  });

  it.each(['langid', 'churn', 'iris', 'digits'])('%s has one label for each score', (name) => {
    const { labels, model } = models.get(name)!;
    const scores = model.signature.outputs.find(({ shape }) => shape.length === 2)!;
    expect(labels[scores.name]).toHaveLength(scores.shape[1]!);
  });

  it('langid answers the everyday sentences as well as its metrics.json says', async () => {
    const { check } = read('train/everyday_sentences.json') as { check: Record<string, string[]> };
    const pairs = Object.entries(check).flatMap(([language, texts]) =>
      texts.map((text) => ({ language, text })),
    );
    const texts = pairs.map(({ text }) => text);
    const { label } = await ask('langid', [
      { name: 'text', datatype: 'BYTES', shape: [texts.length], data: toBytesData(texts) },
    ]);
    const answers = toValues(label!);
    const right = pairs.filter(({ language }, row) => answers[row] === language).length;
    const { everyday } = read('langid/metrics.json') as { everyday: { accuracy: number } };
    expect(right / pairs.length).toBeCloseTo(everyday.accuracy, 3);
  });

  it('digits reads the ten held-out digits', async () => {
    const { image, label } = read('digits/held_out_digits.json') as {
      image: number[][][][];
      label: number[];
    };
    const data = Float32Array.from(image.flat(3) as unknown as number[]);
    const answer = await ask('digits', [{ name: 'image', datatype: 'FP32', shape: [10, 1, 8, 8], data }]);
    expect(toValues(answer.label!)).toEqual(label.map(BigInt));
  });
});

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(demo, file), 'utf8'));
}

function toValues(data: TensorData): (string | number | bigint)[] {
  return 'offsets' in data ? toStrings(data) : [...data];
}
