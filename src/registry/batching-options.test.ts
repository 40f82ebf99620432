import { describe, expect, it } from 'vitest';
import { type BatchingWishes, toBatchingOptions } from './batching-options.ts';

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
