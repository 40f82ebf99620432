import { describe, expect, it } from 'vitest';
import { invalidInput } from '../base/errors/nimify-error.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { RunRequest } from '../model/engine.ts';
import type { Signature } from '../model/signature.ts';
import { type BatchProofInput, proveBatchAxis } from './batch-proof.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2], dimensionNames: ['N', undefined] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  batchAxis: 0,
};

/** A model that answers each batch with one number a row. */
function given(
  answer: (rows: readonly (readonly number[])[]) => number[],
  runNs = 1000,
): BatchProofInput & { runs: number } {
  const input = {
    signature,
    indexLimits: {},
    recipe: { dimensions: {}, values: {} },
    runNs,
    runs: 0,
    run: async ({ inputs }: RunRequest) => {
      input.runs += 1;
      const [tensor] = inputs as [Tensor];
      const data = tensor.data as Float32Array;
      const rows = Array.from({ length: tensor.shape[0]! }, (_, row) => [data[row * 2]!, data[row * 2 + 1]!]);
      const y = Float32Array.from(answer(rows));
      return {
        outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [y.length], data: y }],
        computeNs: 1,
      };
    },
  };
  return input;
}

const sum = (row: readonly number[]) => row[0]! + row[1]!;

describe('proveBatchAxis', () => {
  it('proves rows that leave each other alone', async () => {
    const verdict = await proveBatchAxis(given((rows) => rows.map(sum)));
    expect(verdict.proven).toBe(true);
    expect(verdict.reason).toContain('5 rows');
  });

  it.each<[string, (rows: readonly (readonly number[])[]) => number[], RegExp]>([
    [
      'a mean over the batch',
      (rows) => rows.map((row) => sum(row) - rows.reduce((all, each) => all + sum(each), 0) / rows.length),
      /influence each other/,
    ],
    [
      'a scale set by the largest',
      (rows) => {
        const scale = Math.max(...rows.flat().map(Math.abs)) / 127;
        return rows.map((row) => Math.round(sum(row) / scale) * scale);
      },
      /influence each other/,
    ],
    [
      'answers by position',
      (rows) => rows.map((row, at) => sum(row) + (at === 0 ? 0 : 1)),
      /influence each other/,
    ],
    ['a sum of all rows', (rows) => [rows.reduce((all, each) => all + sum(each), 0)], /not as many rows/],
    ['answers that never differ', (rows) => rows.map(() => 1), /all get the same answer/],
    ['NaN', (rows) => rows.map(() => Number.NaN), /NaN/],
  ])('does not prove %s', async (_, answer, reason) => {
    const verdict = await proveBatchAxis(given(answer));
    expect(verdict.proven).toBe(false);
    expect(verdict.reason).toMatch(reason);
  });

  it('does not prove what refuses batches', async () => {
    const verdict = await proveBatchAxis(
      given((rows) => {
        if (rows.length > 1) throw invalidInput('only one row');
        return rows.map(sum);
      }),
    );
    expect(verdict).toEqual({ proven: false, reason: 'a batch could not be tried: only one row' });
  });

  it('spares integers a model cannot take, where only floats may be far out', async () => {
    const mixed: Signature = {
      ...signature,
      inputs: [...signature.inputs, { name: 'id', datatype: 'INT32', shape: [-1], dimensionNames: ['N'] }],
    };
    const input = given(() => []);
    const verdict = await proveBatchAxis({
      ...input,
      signature: mixed,
      run: async ({ inputs: [x, id] }) => {
        if ((id!.data as Int32Array).some((value) => value > 10)) throw invalidInput('out of the table');
        const data = (x!.data as Float32Array).filter((_, at) => at % 2 === 0);
        return { outputs: [{ name: 'y', datatype: 'FP32', shape: [data.length], data }], computeNs: 1 };
      },
    });
    expect(verdict.proven).toBe(true);
  });

  it('looks further where typical rows and one outlier get the same answer', async () => {
    let seen = 0;
    // The first outlier counts as typical; not all of the next ones do.
    const verdict = await proveBatchAxis(
      given((rows) => {
        seen = Math.max(seen, rows.length);
        return rows.map((row) => (Math.abs(sum(row)) > 100 && row[0]! * row[1]! > 0 ? 1 : 0));
      }),
    );
    expect({ seen, verdict }).toEqual({ seen: 12, verdict: expect.objectContaining({ proven: true }) });
    expect(verdict.reason).toContain('12 rows, 8 of them outliers');
  });

  it('proves nothing with rows that are all alike', async () => {
    const alike: Signature = {
      ...signature,
      inputs: [{ name: 'x', datatype: 'INT32', shape: [-1, 2], dimensionNames: ['N', undefined] }],
    };
    const verdict = await proveBatchAxis({
      ...given((rows) => rows.map(sum)),
      signature: alike,
      indexLimits: { x: 1 },
    });
    expect(verdict.proven).toBe(false);
    expect(verdict.reason).toContain('all alike');
  });

  it('runs less where a row is slow, and nothing where it is very slow', async () => {
    const quick = given((rows) => rows.map(sum));
    await proveBatchAxis(quick);
    const slow = given((rows) => rows.map(sum), 200e6);
    expect((await proveBatchAxis(slow)).proven).toBe(true);
    expect(slow.runs).toBeLessThan(quick.runs);
    const tooSlow = given((rows) => rows.map(sum), 3e9);
    expect(await proveBatchAxis(tooSlow)).toMatchObject({
      proven: false,
      reason: expect.stringContaining('3.0 s'),
    });
    expect(tooSlow.runs).toBe(0);
  });
});

/** The same for a model that takes batches of one size only. */
function fixed(rows: number, answer: Parameters<typeof given>[0], runNs = 1000) {
  const input = given((batch) => {
    if (batch.length !== rows) throw invalidInput(`expected ${rows} rows, got ${batch.length}`);
    return answer(batch);
  }, runNs);
  return { ...input, fixedRows: rows };
}

describe('proveBatchAxis of a model of fixed batches', () => {
  it.each([2, 3, 8, 40])('proves rows that leave each other alone, in batches of %i', async (rows) => {
    const verdict = await proveBatchAxis(fixed(rows, (batch) => batch.map(sum)));
    expect(verdict.proven).toBe(true);
    expect(verdict.reason).toContain(`${Math.max(5, rows)} rows`);
  });

  const mean = (batch: readonly (readonly number[])[]) =>
    batch.reduce((all, row) => all + sum(row), 0) / batch.length;

  it.each<[string, (batch: readonly (readonly number[])[]) => number[]]>([
    ['a mean over the batch', (batch) => batch.map((row) => sum(row) - mean(batch))],
    ['the row before', (batch) => batch.map((row, at) => sum(row) + (at === 0 ? 0 : sum(batch[at - 1]!)))],
    [
      'a row half the batch away',
      (batch) => batch.map((row, at) => sum(row) + sum(batch[(at + (batch.length >> 1)) % batch.length]!)),
    ],
    ['only the last place', (batch) => batch.map((row, at) => sum(row) * (at === batch.length - 1 ? 2 : 1))],
    [
      'only one pair of places',
      (batch) => batch.map((row, at) => sum(row) + (at === batch.length - 1 ? sum(batch[0]!) : 0)),
    ],
  ])('does not prove rows that %s influences', async (_, answer) => {
    for (const rows of [2, 3, 4, 5, 8, 16, 40]) {
      const verdict = await proveBatchAxis(fixed(rows, answer));
      expect({ rows, ...verdict }).toMatchObject({
        proven: false,
        reason: expect.stringMatching(/^rows are not independent: output 'y'/),
      });
    }
  });

  it('tries nothing where a run is very slow', async () => {
    const verdict = await proveBatchAxis(fixed(8, (batch) => batch.map(sum), 3e9));
    expect(verdict.reason).toContain('one run takes 3.0 s');
  });
});
