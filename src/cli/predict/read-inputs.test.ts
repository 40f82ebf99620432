import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toStrings } from '../../base/tensor/bytes.ts';
import type { Datatype } from '../../base/tensor/datatype.ts';
import { isBytesData, type Tensor } from '../../base/tensor/tensor.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { readInputs } from './read-inputs.ts';

/** Two by two pixels. */
const WHITE_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADklEQVQImWP4DwYMEAoAU7oL9W/sIDEAAAAASUVORK5CYII=';

const notes: string[] = [];

function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape, dimensionNames: [] };
}

const X = spec('X', 'FP32', [-1, 4]);
const TEXT = spec('text', 'BYTES', [-1]);
const AGE = spec('age', 'INT64', [-1, 1]);

async function read(specs: readonly TensorSpec[], ...args: string[]) {
  const tensors = await readInputs(args, { specs, imageHints: [], note: (line) => notes.push(line) });
  return tensors.map(plain);
}

function plain({ name, shape, data }: Tensor) {
  return { name, shape, values: isBytesData(data) ? toStrings(data) : Array.from<unknown>(data) };
}

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-inputs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return `@${path}`;
}

describe('values on the command line', () => {
  it('reads JSON, lists without brackets, and fits the shape', async () => {
    const row = { name: 'X', shape: [1, 4], values: [1, 2, 3, 4] };
    expect(await read([X], 'X=[[1,2,3,4]]')).toEqual([row]);
    expect(await read([X], 'X=[1,2,3,4]')).toEqual([row]);
    expect(await read([X], '1, 2, 3, 4')).toEqual([row]);
  });

  it('reads text without quotes, with them, and in lists', async () => {
    expect(await read([TEXT], 'hello, "world"')).toEqual([
      { name: 'text', shape: [1], values: ['hello, "world"'] },
    ]);
    expect(await read([TEXT], 'text="[x]"')).toEqual([{ name: 'text', shape: [1], values: ['[x]'] }]);
    expect(await read([TEXT], '["a","b"]')).toEqual([{ name: 'text', shape: [2], values: ['a', 'b'] }]);
    expect(await read([TEXT], 'text={"not": "an object here"}')).toEqual([
      { name: 'text', shape: [1], values: ['{"not": "an object here"}'] },
    ]);
  });

  it('keeps every digit of 64-bit integers', async () => {
    expect(await read([AGE], 'age=9223372036854775807')).toEqual([
      { name: 'age', shape: [1, 1], values: [9_223_372_036_854_775_807n] },
    ]);
  });

  it('reads several inputs by name, alone or in one object', async () => {
    const both = [
      { name: 'text', shape: [2], values: ['a', 'b'] },
      { name: 'age', shape: [2, 1], values: [1n, 2n] },
    ];
    expect(await read([TEXT, AGE], 'text=["a","b"]', 'age=1,2')).toEqual(both);
    expect(await read([TEXT, AGE], '{"text":["a","b"],"age":[1,2]}')).toEqual(both);
    expect(await read([TEXT, AGE], '{"inputs":{"text":["a","b"],"age":[1,2]}}')).toEqual(both);
  });

  it('takes an input that is given several times as rows', async () => {
    expect(await read([TEXT], 'a', 'b')).toEqual([{ name: 'text', shape: [2], values: ['a', 'b'] }]);
    await expect(read([spec('X', 'FP32', [1, 2])], '1,2', '3,4')).rejects.toThrow(/given 2 times/);
  });

  it.each([
    ['the wrong number of values', [X], ['X=1,2'], /the model takes \[\?,4\]/],
    ['what is no number', [X], ['X=[1,2,x,4]'], /inputs\.X\[2\]/],
    ['something after the value', [X], ['X=[[1,2,3,4]] 5'], /one JSON value, got '5' after it/],
    ['a value without a name for two inputs', [TEXT, AGE], ['1'], /takes 2 inputs; name the one you mean/],
    ['an unknown name in an object', [TEXT, AGE], ['{"txt":1}'], /no input 'txt'/],
  ])('refuses %s', async (_, specs, args, message) => {
    await expect(read(specs, ...args)).rejects.toThrow(message);
  });
});

describe('values from files', () => {
  const npy = (name: string) =>
    `@${fileURLToPath(new URL(`../../../test/fixtures/npy/${name}.npy`, import.meta.url))}`;

  it('reads JSON files, by name too', async () => {
    expect(await read([X], `X=${file('x.json', ' [[1,2,3,4]]\n')}`)).toMatchObject([{ shape: [1, 4] }]);
    expect(await read([TEXT, AGE], file('all.json', '{"text":"a","age":1}'))).toHaveLength(2);
  });

  it('reads .npy files in the datatype and shape that the model wants', async () => {
    expect(await read([spec('X', 'FP64', [-1, 3])], npy('float32'))).toEqual([
      { name: 'X', shape: [2, 3], values: [0, 0.5, 1, 1.5, 2, 2.5] },
    ]);
    expect(await read([TEXT], npy('text'))).toEqual([
      { name: 'text', shape: [4], values: ['hello', '', 'Où', '😀x'] },
    ]);
    await expect(read([spec('X', 'INT32', [-1, 3])], npy('float32'))).rejects.toThrow(/expected INT32/);
  });

  it('reads a picture and says what it assumed', async () => {
    const bytes = Buffer.from(WHITE_PNG, 'base64');
    const [tensor] = await read([spec('image', 'FP32', [1, 3, 2, 2])], file('white.png', bytes));
    expect(tensor).toEqual({ name: 'image', shape: [1, 3, 2, 2], values: Array(12).fill(1) });
    expect(notes.at(-1)).toMatch(/white\.png -> image: .*scale 1\/255 \(assumed; --scale changes it\)/);
  });

  it('gives any other file to a text input as it is', async () => {
    expect(await read([TEXT], file('letter.txt', 'Dear\nall'))).toEqual([
      { name: 'text', shape: [1], values: ['Dear\nall'] },
    ]);
  });

  it.each([
    ['a file that is not there', () => read([X], '@/no/such/file.json'), /no such file/],
    ['a folder', () => read([X], `@${folder}`), /this is a folder/],
    ['an unknown kind of file', () => read([X], file('x.csv', '1,2')), /expected \.json, \.npy or a picture/],
    ['a picture for a table', () => read([spec('X', 'FP32', [-1, 10])], file('p.png', 'x')), /no square/],
    ['a broken JSON file', () => read([X], file('broken.json', '[1,')), /broken\.json/],
  ])('refuses %s', async (_, call, message) => {
    await expect(call()).rejects.toThrow(message);
  });
});
