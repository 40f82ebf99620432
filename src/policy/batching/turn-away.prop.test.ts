import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import { createBatching } from './batching.ts';
import type { BatchingOptions } from './contract.ts';
import { createCostModel } from './cost-model.ts';
import { createFakeBackend, pass, rowRequest } from './fake-backend.ts';

const runNs = (rows: number) => 4e6 + 1e6 * rows;

interface Arrival {
  readonly afterMs: number;
  readonly deadlineMs: number | undefined;
  readonly priority: number;
  readonly isWide: boolean;
}

const arrivals = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 })),
    deadlineMs: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
    priority: fc.integer({ min: 0, max: 2 }),
    isWide: fc.boolean(),
  }),
  { minLength: 40, maxLength: 120 },
);

const options = fc.record(
  {
    slots: fc.integer({ min: 1, max: 2 }),
    maxBatchRows: fc.constantFrom('auto' as const, 1, 8),
    objectiveMs: fc.integer({ min: 10, max: 40 }),
    priorities: fc.constant({ levels: 2, defaultLevel: 2 }),
    queue: fc.record({
      maxWaiting: fc.integer({ min: 1, max: 12 }),
      timeoutAction: fc.constant('reject' as const),
      allowTimeoutOverride: fc.constant(false),
    }),
  },
  { requiredKeys: ['slots', 'maxBatchRows', 'objectiveMs'] },
);

/** What became of each, in words. `asks`: whether they would be turned away is asked before. */
async function simulate(given: readonly Arrival[], how: BatchingOptions, asks: 'first' | 'never') {
  const clock = createFakeClock();
  const backend = createFakeBackend(clock, runNs, { isInline: false });
  const soon = (callback: () => void) => void clock.setTimer(callback, 0);
  const told: string[] = [];
  const instruments = { ran: () => {}, refused: (why: string) => void told.push(why) };
  const deps = { clock, costs: createCostModel(), soon, timerStepNs: 0, instruments };
  const model = createBatching(deps, how)(backend);
  const ends: string[] = [];
  let turnedAway = 0;
  for (const [id, { afterMs, deadlineMs, priority, isWide }] of given.entries()) {
    await pass(clock, afterMs);
    const deadlineAtNs =
      deadlineMs === undefined ? Number.POSITIVE_INFINITY : clock.nowNs() + deadlineMs * 1e6;
    const context = createContext({ deadlineAtNs, priority });
    const refusal = asks === 'first' ? model.turnAway!(context, () => true) : undefined;
    if (refusal !== undefined) {
      turnedAway += 1;
      ends[id] = refusal.message;
      continue;
    }
    model.infer(rowRequest(id, 1, { width: isWide ? 3 : 2 }), context).then(
      () => {
        ends[id] = `answered after ${clock.nowNs() / 1e6} ms`;
      },
      (error: Error) => {
        ends[id] = error.message;
      },
    );
  }
  await pass(clock, 500);
  return { ends, told, turnedAway };
}

describe('createBatching, asked whom it would turn away', () => {
  it('turns away whom it would refuse, with the same words, and nobody else', async () => {
    let turnedAway = 0;
    await fc.assert(
      fc.asyncProperty(arrivals, options, async (given, how) => {
        const alike = given.map((one) => ({ ...one, isWide: false }));
        const asked = await simulate(alike, how, 'first');
        const unasked = await simulate(alike, how, 'never');
        turnedAway += asked.turnedAway;
        expect(asked.ends).toEqual(unasked.ends);
        expect(asked.told).toEqual(unasked.told);
      }),
      { numRuns: 30 },
    );
    expect(turnedAway).toBeGreaterThan(0);
  });

  it('gives every one of several classes one answer', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals, options, async (given, how) => {
        const { ends } = await simulate(given, how, 'first');
        expect(ends.filter((end) => end !== undefined)).toHaveLength(given.length);
      }),
      { numRuns: 30 },
    );
  });
});
