import { describe, expect, it } from 'vitest';
import { BORROWED } from '../base/tensor/owner.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createContext, createPhases } from '../model/context.ts';
import { createInferRequest, type InferReport, type InferResponse } from '../model/request.ts';
import type { Signature } from '../model/signature.ts';
import { createStatistics } from './statistics.ts';

const BATCHED: Signature = { inputs: [], outputs: [], batchAxis: 0 };
const UNBATCHED: Signature = { inputs: [], outputs: [], batchAxis: 'none' };

function ofRows(rows: number) {
  const x = { name: 'x', datatype: 'FP32', shape: [rows, 1], data: new Float32Array(rows) } as const;
  return createInferRequest({ model: 'm', inputs: [x] });
}

function answer(report: Partial<InferReport> = {}): InferResponse {
  return {
    ...{ model: 'm', version: '1', id: '', outputs: [], parameters: {}, owner: BORROWED },
    report: { cache: 'none', computeNs: 0, cacheable: true, ...report },
  };
}

function taking(phases: { decodeNs?: number; queueNs?: number } = {}) {
  return createContext({ phases: { ...createPhases(), ...phases } });
}

describe('createStatistics', () => {
  it('starts with nothing', () => {
    const none = { count: 0, ns: 0 };
    expect(createStatistics(createFakeClock(), BATCHED).read()).toEqual({
      ...{ lastInferenceMs: 0, inferenceCount: 0, executionCount: 0, batches: [] },
      ...{ success: none, fail: none, cancel: none, queue: none },
      ...{ computeInput: none, computeInfer: none, computeOutput: none, cacheHit: none, cacheMiss: none },
    });
  });

  it('says where the time of an answered request went, and when it was', () => {
    const clock = createFakeClock();
    const statistics = createStatistics(clock, BATCHED);
    clock.advance(10);
    const fromNs = clock.nowNs();
    clock.advance(5);
    const context = taking({ decodeNs: 100, queueNs: 1e6 });
    statistics.answered(fromNs, ofRows(3), context, answer({ computeNs: 3e6 }));
    clock.advance(1000);
    const read = statistics.read();
    expect(read).toMatchObject({
      lastInferenceMs: 15,
      inferenceCount: 3,
      executionCount: 1,
      success: { count: 1, ns: 5_000_100 },
      queue: { count: 1, ns: 1e6 },
      computeInput: { count: 1, ns: 100 },
      computeInfer: { count: 1, ns: 3e6 },
      computeOutput: { count: 1, ns: 1e6 },
    });
    expect(read.batches).toEqual([
      {
        rows: 3,
        computeInput: { count: 1, ns: 100 },
        computeInfer: { count: 1, ns: 3e6 },
        computeOutput: { count: 1, ns: 1e6 },
      },
    ]);
  });

  it('counts a request to a model without a batch axis as one', () => {
    const statistics = createStatistics(createFakeClock(), UNBATCHED);
    statistics.answered(0, ofRows(7), taking(), answer());
    expect(statistics.read()).toMatchObject({ inferenceCount: 1, batches: [{ rows: 1 }] });
  });

  it('lists the sizes of runs in order, any number of them', () => {
    const statistics = createStatistics(createFakeClock(), BATCHED);
    for (const rows of [40, 2, 40, 1, ...Array.from({ length: 20 }, (_, at) => 100 + at)]) {
      statistics.answered(0, ofRows(rows), taking(), answer({ computeNs: rows }));
    }
    const { batches, executionCount, inferenceCount } = statistics.read();
    expect(batches.slice(0, 4).map(({ rows, computeInfer }) => [rows, computeInfer])).toEqual([
      [1, { count: 1, ns: 1 }],
      [2, { count: 1, ns: 2 }],
      [40, { count: 2, ns: 80 }],
      [100, { count: 1, ns: 100 }],
    ]);
    expect(batches).toHaveLength(23);
    expect([executionCount, inferenceCount]).toEqual([24, 40 + 2 + 40 + 1 + 20 * 100 + 190]);
  });

  it('holds a bounded number of sizes, and goes on counting the totals', () => {
    const statistics = createStatistics(createFakeClock(), BATCHED);
    for (let rows = 1; rows <= 1500; rows++) statistics.answered(0, ofRows(rows), taking(), answer());
    statistics.answered(0, ofRows(1), taking(), answer());
    const { batches, executionCount } = statistics.read();
    expect(batches).toHaveLength(1024);
    expect(batches[0]?.computeInfer.count).toBe(2);
    expect(executionCount).toBe(1501);
  });

  it('counts the requests of a batch as one run', () => {
    const statistics = createStatistics(createFakeClock(), BATCHED);
    for (const rows of [1, 3, 2]) {
      statistics.answered(0, ofRows(rows), taking(), answer({ computeNs: 600, batchRows: 6 }));
    }
    const { batches, ...totals } = statistics.read();
    expect(totals).toMatchObject({
      inferenceCount: 6,
      executionCount: 1,
      computeInfer: { count: 3, ns: 1800 },
    });
    expect(batches).toMatchObject([{ rows: 6, computeInfer: { count: 1, ns: 600 } }]);
  });

  it('leaves answers of a cache out of what was run', () => {
    const clock = createFakeClock();
    const statistics = createStatistics(clock, BATCHED);
    clock.advance(1);
    statistics.answered(0, ofRows(2), taking(), answer({ cache: 'hit', computeNs: 9 }));
    statistics.answered(1e6, ofRows(2), taking(), answer({ cache: 'miss' }));
    expect(statistics.read()).toMatchObject({
      inferenceCount: 2,
      executionCount: 1,
      success: { count: 2, ns: 1e6 },
      cacheHit: { count: 1, ns: 1e6 - 9 },
      cacheMiss: { count: 1 },
      computeInfer: { count: 1, ns: 0 },
    });
  });

  it('counts failures with their time, and cancelled ones among them', () => {
    const clock = createFakeClock();
    const statistics = createStatistics(clock, BATCHED);
    clock.advance(2);
    statistics.failed(0, taking({ decodeNs: 5 }), false);
    statistics.failed(1e6, taking(), true);
    expect(statistics.read()).toMatchObject({
      lastInferenceMs: 0,
      inferenceCount: 0,
      success: { count: 0, ns: 0 },
      fail: { count: 2, ns: 3e6 + 5 },
      cancel: { count: 1, ns: 1e6 },
    });
  });
});
