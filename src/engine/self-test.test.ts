import { describe, expect, it } from 'vitest';
import { invalidInput, NimifyError } from '../base/errors/nimify-error.ts';
import { toStrings } from '../base/tensor/bytes.ts';
import type { BytesData, Tensor } from '../base/tensor/tensor.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import type { RunRequest } from '../model/engine.ts';
import type { Signature } from '../model/signature.ts';
import { type ExampleSearch, findExample, tryExample } from './self-test.ts';

const sequence: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, -1], dimensionNames: ['N', 'length'] },
    { name: 'axis', datatype: 'INT64', shape: [], dimensionNames: [] },
  ],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  batchAxis: 'none',
};

function search(signature: Signature, answer: (request: RunRequest) => readonly Tensor[]): ExampleSearch {
  const run = async (request: RunRequest) => ({ outputs: answer(request), computeNs: 5 });
  return { signature, indexLimits: {}, run, clock: createFakeClock() };
}

const one: Tensor = { name: 'y', datatype: 'FP32', shape: [1], data: new Float32Array(1) };
const empty: Tensor = { ...one, shape: [0], data: new Float32Array(0) };

describe('findExample', () => {
  it('tries sizes until the model answers, and tells the recipe', async () => {
    const found = await findExample(
      search(sequence, ({ inputs }) => {
        if ((inputs[0]?.shape[1] ?? 0) < 100) throw invalidInput('too short');
        return [one];
      }),
    );
    expect(found).toMatchObject({ ok: true, origin: 'generated', runNs: 5 });
    expect(found.ok && found.recipe?.dimensions).toEqual({ N: 1, length: 128 });
  });

  it('tries other integers and texts for the same sizes', async () => {
    const zeroOnly = await findExample(
      search(sequence, ({ inputs }) => {
        if ((inputs[1]!.data as BigInt64Array)[0] !== 0n) throw invalidInput('axis out of range');
        return [one];
      }),
    );
    expect(zeroOnly.ok && zeroOnly.recipe?.dimensions).toEqual({ N: 1, length: 1 });
    const texts: Signature = {
      ...sequence,
      inputs: [{ name: 't', datatype: 'BYTES', shape: [1], dimensionNames: [undefined] }],
    };
    const numeral = await findExample(
      search(texts, ({ inputs }) => {
        if (Number.isNaN(Number(toStrings(inputs[0]?.data as BytesData)[0]))) throw invalidInput('no number');
        return [one];
      }),
    );
    expect(numeral.ok && numeral.recipe?.values.text).toBe('numerals');
  });

  it('takes an answer without elements only where nothing better comes', async () => {
    const better = await findExample(
      search(sequence, ({ inputs }) => [(inputs[0]?.shape[1] ?? 0) >= 8 ? one : empty]),
    );
    expect(better.ok && better.recipe?.dimensions.length).toBe(8);
    const never = await findExample(search(sequence, () => [empty]));
    expect(never.ok && never.outputs).toEqual([empty]);
  });

  it('gives up with the last reason: bounded in tries, at once where the engine or its memory fails', async () => {
    let runs = 0;
    const refused = await findExample(
      search(sequence, () => {
        runs += 1;
        throw invalidInput('no way');
      }),
    );
    expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('last because: no way') });
    expect(runs).toBeGreaterThan(100);
    expect(runs).toBeLessThanOrEqual(600);
    for (const failure of [
      new NimifyError('ENGINE_FAILED', 'broken'),
      invalidInput('too large', { outOfMemory: true }),
    ]) {
      runs = 0;
      await findExample(
        search(sequence, () => {
          runs += 1;
          throw failure;
        }),
      );
      expect(runs).toBe(1);
    }
  });

  it('ends where inputs are too large to make up, however many dimensions are dynamic', async () => {
    const names = ['N', ...'abcdefghi'];
    const huge: Signature = {
      ...sequence,
      inputs: [
        {
          name: 'x',
          datatype: 'FP32',
          shape: [2 ** 12, 2 ** 13, ...names.map(() => -1)],
          dimensionNames: [undefined, undefined, ...names],
        },
      ],
    };
    expect(await findExample(search(huge, () => [one]))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('too many to make up'),
    });
  });

  it('stops when its time is over', async () => {
    const clock = createFakeClock();
    let runs = 0;
    const found = await findExample({
      ...search(sequence, () => []),
      clock,
      run: async () => {
        runs += 1;
        clock.advance(2000);
        throw invalidInput('slow');
      },
    });
    expect(found.ok).toBe(false);
    expect(runs).toBe(3);
  });
});

describe('tryExample', () => {
  it('runs what was given, and tells why it is refused', async () => {
    const fixed: Signature = {
      ...sequence,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1], dimensionNames: [undefined] }],
    };
    const given: Tensor = { name: 'x', datatype: 'FP32', shape: [1], data: new Float32Array(1) };
    expect(
      await tryExample(
        search(fixed, () => [one]),
        [given],
      ),
    ).toMatchObject({ ok: true, origin: 'file' });
    expect(
      await tryExample(
        search(fixed, () => [one]),
        [],
      ),
    ).toMatchObject({
      ok: false,
      reason: expect.stringContaining("input 'x' (FP32 [1]) missing"),
    });
  });
});
