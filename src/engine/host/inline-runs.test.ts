import { describe, expect, it } from 'vitest';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import { createFakeSession } from './fake-session.ts';
import { AT_ONCE_BELOW_NS, createInlineRuns, LARGE_RUN_NS } from './inline-runs.ts';
import { createRunCost } from './run-cost.ts';

function ofSize(elements: number): RunRequest {
  const data = new Float32Array(elements);
  return {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [elements], data }],
    outputs: ['y'],
    owner: BORROWED,
  };
}

const took = (computeNs: number): RunResult => ({ outputs: [], computeNs });
const SMALL = ofSize(4);
/** Predicted, from 10 µs for the small one, to take 320 µs and 10 ms. */
const MIDDLE = ofSize(4 * 32);
const LARGE = ofSize(4 * 1024);

/** An inline session whose runs take what is told, and an overflow on which every run takes `overflowNs`. */
function setUp({ inlineNs = 10e3, overflowNs = 20e6, example = true } = {}) {
  const cost = createRunCost(example ? { sizeBytes: 16, computeNs: 10e3 } : undefined);
  const away: RunRequest[] = [];
  const time = { inlineNs };
  const inline = createFakeSession({
    run: () => took(time.inlineNs),
    runNow: () => took(time.inlineNs),
  });
  const overflow = {
    run: async (_inline: unknown, request: RunRequest) => {
      away.push(request);
      return took(overflowNs);
    },
    close: async () => {},
  };
  return { cost, inline, away, overflow, time, runs: createInlineRuns(cost, overflow) };
}

describe('createInlineRuns', () => {
  it('runs what is small inline, and large runs where others do not wait for them', async () => {
    const { runs, inline, away } = setUp();
    await runs.run(inline, SMALL);
    await runs.run(inline, LARGE);
    await runs.run(inline, MIDDLE);
    expect(inline.runs).toEqual([SMALL, MIDDLE]);
    expect(away).toEqual([LARGE]);
  });

  it('comes back inline for a size that turns out to be quick', async () => {
    const { runs, inline, away } = setUp({ overflowNs: 50e3 });
    await runs.run(inline, LARGE);
    await runs.run(inline, LARGE);
    expect([inline.runs, away]).toEqual([[LARGE], [LARGE]]);
    expect(runs.runNow(inline, LARGE)).toEqual(took(10e3));
  });

  it('keeps large runs inline where there is nowhere else', async () => {
    const { cost, inline } = setUp();
    await createInlineRuns(cost).run(inline, LARGE);
    expect(inline.runs).toEqual([LARGE]);
  });
});

describe('a run at once', () => {
  it('is small; one that may be long is not begun', () => {
    const { runs, inline, away, cost } = setUp();
    expect(runs.runNow(inline, SMALL)).toEqual(took(10e3));
    expect(cost.predictNs(4 * 4 * 32)).toBeGreaterThan(AT_ONCE_BELOW_NS);
    expect(cost.predictNs(4 * 4 * 32)).toBeLessThan(LARGE_RUN_NS);
    expect(runs.runNow(inline, MIDDLE)).toBeUndefined();
    expect(runs.runNow(inline, LARGE)).toBeUndefined();
    expect([inline.runs, away]).toEqual([[SMALL], []]);
  });

  it('is not taken for what nobody knows the cost of, until some run was measured', async () => {
    const { runs, inline } = setUp({ example: false, inlineNs: 5e3 });
    const alone = createInlineRuns(createRunCost());
    expect(alone.runNow(inline, SMALL)).toBeUndefined();
    await alone.run(inline, SMALL);
    expect(alone.runNow(inline, SMALL)).toEqual(took(5e3));
    expect(runs.runNow(inline, SMALL)).toBeUndefined();
  });

  it('is given up where runs become long, and taken up again when they were short for a while', async () => {
    const { runs, inline, time } = setUp({ inlineNs: 5e6 });
    let taken = 0;
    while (runs.runNow(inline, SMALL) !== undefined) taken += 1;
    expect(taken).toBeLessThan(10);
    time.inlineNs = 10e3;
    for (let run = 0; run < 30; run++) await runs.run(inline, SMALL);
    expect(runs.runNow(inline, SMALL)).toEqual(took(10e3));
  });

  it('needs a session that can', () => {
    const { runs } = setUp();
    expect(runs.runNow(createFakeSession(), SMALL)).toBeUndefined();
  });

  it('counts for the prediction as any run, unless it fails', () => {
    const { runs, inline, cost, time } = setUp();
    time.inlineNs = 20e3;
    runs.runNow(inline, SMALL);
    const afterOne = cost.predictNs(16);
    expect(afterOne).toBeGreaterThan(10e3);
    const failing = createFakeSession({
      runNow: () => {
        throw new Error('refused');
      },
    });
    expect(() => runs.runNow(failing, SMALL)).toThrow('refused');
    expect(cost.predictNs(16)).toBe(afterOne);
  });
});
