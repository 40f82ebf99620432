import { describe, expect, it } from 'vitest';
import { createCostModel } from '../policy/batching/cost-model.ts';
import {
  type BatchingWishes,
  inFlightLimits,
  toBatchingOptions,
  toKeepable,
  wantsPadding,
} from './batching-options.ts';

const WISHES: BatchingWishes = { choice: 'auto', target: 'balanced', slots: 2, isBatchable: true };

describe('what the batcher is told', () => {
  it('is next to nothing by default', () => {
    expect(toBatchingOptions(WISHES)).toEqual({ slots: 2, maxBatchRows: 'auto', weight: 2 / 3 });
  });

  it.each([
    ['the model cannot be batched', { isBatchable: false }],
    ['batching is off', { choice: 'off' as const }],
    ['batching is off, whatever the model says', { choice: 'off' as const, configured: { maxBatchRows: 8 } }],
  ])('is to join nothing where %s', (_, wishes) => {
    expect(toBatchingOptions({ ...WISHES, ...wishes }).maxBatchRows).toBe(1);
  });

  it("takes what the model's configuration says", () => {
    const configured = { maxBatchRows: 8, maxDelayMs: 3, priorities: { levels: 2, defaultLevel: 1 } };
    expect(toBatchingOptions({ ...WISHES, configured })).toMatchObject(configured);
  });

  it('puts what was chosen before it', () => {
    const queue = { maxWaiting: 5, timeoutAction: 'delay', allowTimeoutOverride: true } as const;
    const told = toBatchingOptions({
      ...WISHES,
      configured: { maxBatchRows: 8, maxDelayMs: 3, queue },
      choice: {
        maxBatchSize: 16,
        preferredBatchSizes: [4],
        preserveOrder: true,
        maxWaiting: 9,
        priorityLevels: 3,
      },
    });
    expect(told).toEqual({
      slots: 2,
      maxBatchRows: 16,
      weight: 2 / 3,
      maxDelayMs: 3,
      preferredRows: [4],
      preserveOrder: true,
      queue: { ...queue, maxWaiting: 9 },
      priorities: { levels: 3, defaultLevel: 3 },
    });
  });

  it('is to fill up runs of a model of fixed batches, whatever is joined', () => {
    expect(toBatchingOptions({ ...WISHES, choice: { maxBatchSize: 3 }, paddedRows: 8 })).toMatchObject({
      maxBatchRows: 3,
      paddedRows: [8],
    });
    expect(toBatchingOptions({ ...WISHES, choice: 'off', paddedRows: 8 })).toMatchObject({
      maxBatchRows: 1,
      paddedRows: [8],
    });
  });

  it('fills up runs only where somebody says how large batches may be', () => {
    expect(wantsPadding('auto', undefined)).toBe(false);
    expect(wantsPadding({ maxDelayMs: 3 }, { maxDelayMs: 2 })).toBe(false);
    expect(wantsPadding({ maxBatchSize: 8 }, undefined)).toBe(true);
    expect(wantsPadding('off', { maxBatchRows: 8 })).toBe(true);
  });

  it.each([
    ['latency', 0],
    ['throughput', 1],
    ['cost', 1],
  ] as const)('weighs for the target %s', (target, weight) => {
    expect(toBatchingOptions({ ...WISHES, target, objectiveMs: 50 })).toMatchObject({
      weight,
      objectiveMs: 50,
    });
  });
});

describe('an objective', () => {
  const costs = createCostModel({ seed: Array.from({ length: 20 }, () => ({ rows: 1, ns: 4e6 })) });

  it('is kept to where a request alone is well within it', () => {
    expect(toKeepable({ percentile: 99, latencyMs: 50 }, costs)).toEqual({
      latencyMs: 50,
      note: 'p99 < 50ms',
    });
  });

  it('that not even a request alone keeps to is told of, and gives way to the best that can be', () => {
    const kept = toKeepable({ percentile: 99, latencyMs: 2 }, costs);
    expect(kept.latencyMs).toBeGreaterThanOrEqual(10);
    expect(kept.says).toMatch(
      /^p99 < 2ms cannot be kept: 99 of 100 requests alone take up to .* have \d+ ms/,
    );
  });

  it('is taken as it is where nothing was measured', () => {
    expect(toKeepable({ percentile: 99, latencyMs: 0.1 }, createCostModel()).latencyMs).toBe(0.1);
  });
});

describe('how much may be in flight', () => {
  const costs = createCostModel({ seed: [1, 2, 4, 8, 16].map((rows) => ({ rows, ns: 1e6 * (4 + rows) })) });
  const limits = (wishes: Partial<BatchingWishes>) =>
    inFlightLimits(toBatchingOptions({ ...WISHES, ...wishes }), costs);

  it('is at least what keeps the slots busy, and far more where nobody said how soon answers are wanted', () => {
    expect(limits({}).minLimit()).toBeGreaterThanOrEqual(256);
    expect(limits({ objectiveMs: 50, choice: 'off' }).minLimit()).toBe(4);
  });

  it('is at most what runs and waits', () => {
    expect(limits({ choice: { maxBatchSize: 8, maxWaiting: 100 } }).maxLimit).toBe(116);
  });
});
