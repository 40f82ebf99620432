import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import type { RunRequest } from '../model/engine.ts';
import type { Signature } from '../model/signature.ts';
import { type RunSample, repeatRows, type WarmUpInput, warmUp } from './warm-up.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1], dimensionNames: ['N'] }],
  batchAxis: 0,
};

const PLENTY = { peakBytes: () => 0, freeBytes: () => 2 ** 40 };
const rowsOf = ({ inputs }: RunRequest) => inputs[0]!.shape[0]!;

function tensor(rows: number): Tensor {
  return {
    name: 'x',
    datatype: 'FP32',
    shape: [rows],
    data: Float32Array.from({ length: rows }, (_, i) => i),
  };
}

/** Runs on a clock that each run moves on by what `msOf` says of its rows. */
async function warm(msOf: (rows: number, run: number) => number, more: Partial<WarmUpInput> = {}) {
  const clock = createFakeClock();
  const ran: number[] = [];
  const samples = await warmUp({
    signature,
    clock,
    async run(request) {
      const rows = rowsOf(request);
      clock.advance(msOf(rows, ran.length));
      ran.push(rows);
      return { outputs: [], computeNs: 1 };
    },
    inputsOf: (rows) => [tensor(rows)],
    mostRows: 256,
    mostNs: Number.POSITIVE_INFINITY,
    budgetNs: 1e12,
    isInline: false,
    memory: PLENTY,
    ...more,
  });
  return { samples, ran, tookMs: clock.nowNs() / 1e6 };
}

const sizes = (samples: readonly RunSample[]) => [...new Set(samples.map(({ rows }) => rows))];

describe('warmUp', () => {
  it('runs twice as many rows each time, and tells what they took after a first run of that size', async () => {
    const { samples, ran } = await warm((rows, run) => (run % 4 === 0 ? 50 : 1 + rows / 100));
    expect(sizes(samples)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
    expect(ran.filter((rows) => rows === 8)).toHaveLength(4);
    expect(samples.filter(({ rows }) => rows === 8).map(({ ns }) => Math.round(ns / 1e4))).toEqual([
      108, 108, 108,
    ]);
  });

  it('runs short ones until they are compiled, and tells of the last', async () => {
    const { samples, ran } = await warm((_, run) => (run < 100 ? 0.01 : 0.002), { mostRows: 1 });
    expect(ran.length).toBe(128);
    expect(samples.map(({ ns }) => Math.round(ns))).toEqual([2000, 2000, 2000]);
  });

  it('tells what the engine took where runs are made within the call', async () => {
    const { samples } = await warm((rows) => rows, { isInline: true });
    expect(new Set(samples.map(({ ns }) => ns))).toEqual(new Set([1]));
  });

  it('ends where twice the rows take twice the time', async () => {
    expect(sizes((await warm((rows) => rows * 3)).samples)).toEqual([1, 2, 4]);
    expect(sizes((await warm((rows) => Math.max(8, rows) * 3)).samples)).toEqual([1, 2, 4, 8, 16, 32]);
  });

  it('ends before a run that can be foreseen to take too long', async () => {
    const { samples } = await warm((rows) => 2 + rows, { mostNs: 19e6 });
    expect(sizes(samples)).toEqual([1, 2, 4, 8]);
  });

  it('ends before the memory runs short', async () => {
    let peakBytes = 7e9;
    const memory = { peakBytes: () => peakBytes, freeBytes: () => 1e9 };
    const inputsOf = (rows: number) => {
      peakBytes = 7e9 + rows * 20e6;
      return [tensor(rows)];
    };
    expect(sizes((await warm(() => 1, { memory, inputsOf })).samples)).toEqual([1, 2, 4, 8]);
  });

  it('keeps what it learned where the model refuses a size, or would have to be given too large inputs', async () => {
    const refusing = await warm((rows) => {
      if (rows > 4) throw new NimifyError('ENGINE_FAILED', 'no memory');
      return 1;
    });
    expect(sizes(refusing.samples)).toEqual([1, 2, 4]);
    const huge = await warm(() => 1, { inputsOf: (rows) => [{ ...tensor(1), shape: [rows, 2 ** 22] }] });
    expect(sizes(huge.samples)).toEqual([1, 2, 4]);
  });

  it('counts the only run that time allows', async () => {
    const { samples, ran } = await warm(() => 30, { budgetNs: 40e6 });
    expect(ran).toEqual([1]);
    expect(samples).toEqual([{ rows: 1, ns: 30e6 }]);
  });

  it('runs one size only where rows are not counted', async () => {
    const { samples } = await warm(() => 2, { mostRows: 1, inputsOf: () => [tensor(7)] });
    expect(samples).toEqual([1, 2, 3].map(() => ({ rows: 1, ns: 2e6 })));
  });

  it('keeps to its budget, but for what could not be foreseen of a size', async () => {
    const base = fc.double({ min: 0.01, max: 50, noNaN: true });
    const perRow = fc.double({ min: 0, max: 20, noNaN: true });
    await fc.assert(
      fc.asyncProperty(base, perRow, fc.integer({ min: 1, max: 500 }), async (baseMs, rowMs, budgetMs) => {
        const msOf = (rows: number) => baseMs + rows * rowMs;
        const { tookMs } = await warm(msOf, { budgetNs: budgetMs * 1e6 });
        expect(tookMs).toBeLessThanOrEqual(budgetMs + msOf(1));
      }),
    );
  });
});

describe('repeatRows', () => {
  it('gives as many rows as wanted, in their order', () => {
    const [joined] = repeatRows([tensor(3)], 7);
    expect(joined).toMatchObject({ shape: [7], data: Float32Array.of(0, 1, 2, 0, 1, 2, 0) });
    expect(repeatRows([tensor(3)], 2)[0]).toMatchObject({ shape: [2], data: Float32Array.of(0, 1) });
  });
});
