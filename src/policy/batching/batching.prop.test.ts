import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NimifyError } from '../../base/errors/nimify-error.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { createBatching } from './batching.ts';
import type { BatchingOptions } from './contract.ts';
import { createCostModel } from './cost-model.ts';
import { computeRows, createFakeBackend, rowRequest, settled, valuesOf } from './fake-backend.ts';
import { createFakeCosts } from './fake-costs.ts';

const FIXED_NS = 4e6;
const PER_ROW_NS = 1e6;
const runNs = (rows: number) => FIXED_NS + PER_ROW_NS * rows;

interface Arrival {
  readonly afterMs: number;
  readonly rows: number;
  readonly width: number;
  readonly priority: number;
  readonly deadlineMs: number | undefined;
  readonly cancelAfterMs: number | undefined;
  readonly isBad: boolean;
  readonly outputs: readonly string[] | undefined;
}

const arrival: fc.Arbitrary<Arrival> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 })),
  rows: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 21 })),
  width: fc.oneof(fc.constant(2), fc.constant(3)),
  priority: fc.integer({ min: 0, max: 4 }),
  deadlineMs: fc.option(fc.integer({ min: 1, max: 120 }), { nil: undefined }),
  cancelAfterMs: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined, freq: 4 }),
  isBad: fc.integer({ min: 0, max: 11 }).map((die) => die === 0),
  outputs: fc.option(fc.constantFrom(['sum'], ['twice', 'sum']), { nil: undefined }),
});

const options = fc.record(
  {
    slots: fc.integer({ min: 1, max: 3 }),
    maxBatchRows: fc.oneof(fc.constant('auto' as const), fc.constantFrom(1, 3, 8)),
    maxDelayMs: fc.integer({ min: 0, max: 6 }),
    preferredRows: fc.constantFrom([2], [4, 6]),
    preserveOrder: fc.boolean(),
    paddedRows: fc.constantFrom([4], [2, 8]),
    objectiveMs: fc.integer({ min: 10, max: 90 }),
    priorities: fc.constant({ levels: 3, defaultLevel: 2 }),
    queue: fc.record({
      maxWaiting: fc.integer({ min: 1, max: 12 }),
      defaultTimeoutMs: fc.integer({ min: 1, max: 30 }),
      timeoutAction: fc.constantFrom('reject' as const, 'delay' as const),
      allowTimeoutOverride: fc.boolean(),
    }),
    weight: fc.constantFrom(0, 0.5, 1),
  },
  { requiredKeys: ['slots', 'maxBatchRows'] },
);

interface Asked {
  readonly id: number;
  readonly what: Arrival;
  readonly request: InferRequest;
  readonly expected: unknown;
  readonly deadlineAtNs: number;
  readonly atNs: number;
  cancelledAtNs: number;
  settledAtNs: number;
  /** The order in which it settled. */
  turn: number;
  response: InferResponse | undefined;
  error: NimifyError | undefined;
}

/** Lets the arrivals happen and everything come to an end. */
async function simulate(
  arrivals: readonly Arrival[],
  given: BatchingOptions,
  isInline: boolean,
  learns: boolean,
) {
  const clock = createFakeClock();
  const costs = learns ? createCostModel() : createFakeCosts({ fixedNs: FIXED_NS, perRowNs: PER_ROW_NS });
  const backend = createFakeBackend(clock, runNs, { isInline });
  const soon = (callback: () => void) => void clock.setTimer(callback, 0);
  const model = createBatching({ clock, costs, soon, timerStepNs: 0 }, given)(backend);
  const asked: Asked[] = [];
  let turn = 0;

  function ask(what: Arrival, id: number): void {
    const request = rowRequest(id, what.rows, {
      ...{ width: what.width, text: what.isBad ? 'bad' : 'row' },
      ...(what.outputs === undefined ? {} : { outputs: what.outputs }),
    });
    const atNs = clock.nowNs();
    const deadlineAtNs =
      what.deadlineMs === undefined ? Number.POSITIVE_INFINITY : atNs + what.deadlineMs * 1e6;
    const cancel = createCancelSource();
    const context = createContext({ deadlineAtNs, priority: what.priority, cancel });
    const expected = valuesOf(computeRows(request));
    const one: Asked = {
      ...{ id, what, request, expected, deadlineAtNs, atNs, response: undefined, error: undefined },
      ...{ cancelledAtNs: Number.POSITIVE_INFINITY, settledAtNs: Number.NaN, turn: -1 },
    };
    asked.push(one);
    if (what.cancelAfterMs !== undefined) {
      clock.setTimer(() => {
        one.cancelledAtNs = clock.nowNs();
        cancel.cancel('client-left');
      }, what.cancelAfterMs);
    }
    const note = (fields: Partial<Asked>) => {
      expect(one.settledAtNs).toBeNaN();
      Object.assign(one, fields, { settledAtNs: clock.nowNs(), turn: turn++ });
    };
    let now: InferResponse | undefined;
    try {
      now = model.inferNow?.(request, context);
    } catch (error) {
      note({ error: error as NimifyError });
      return;
    }
    if (now !== undefined) note({ response: now });
    else
      model.infer(request, context).then(
        (response) => note({ response }),
        (error) => note({ error }),
      );
  }

  let atMs = 0;
  arrivals.forEach((what, id) => {
    atMs += what.afterMs;
    clock.setTimer(() => ask(what, id), atMs);
  });
  for (
    let steps = 0;
    steps < 3000 && (asked.length < arrivals.length || asked.some(({ turn }) => turn < 0));
    steps++
  ) {
    clock.advance(0.5);
    await settled();
  }
  return { asked, backend, clock, model };
}

const scenario = fc.record({
  arrivals: fc.array(arrival, { minLength: 1, maxLength: 60 }),
  given: options as fc.Arbitrary<BatchingOptions>,
  isInline: fc.boolean(),
  learns: fc.boolean(),
});
const RUNS = { numRuns: 150 };

describe('createBatching, whatever comes', () => {
  it('settles each request once, with the answer it would have had by itself, and lets go of every buffer', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, given, isInline, learns }) => {
        const { asked, backend, clock, model } = await simulate(arrivals, given, isInline, learns);
        for (const { response, error, expected, what, request, id } of asked) {
          expect(response === undefined).toBe(error !== undefined);
          if (response !== undefined) {
            expect(response.id).toBe(String(id));
            expect(valuesOf(response.outputs)).toEqual(expected);
            expect(what.isBad).toBe(false);
            response.owner.release();
          }
          expect(error?.code).toBeOneOf([
            ...[undefined, 'OVERLOADED', 'DEADLINE_EXCEEDED'],
            ...(what.isBad ? ['INVALID_INPUT'] : []),
            ...(what.cancelAfterMs === undefined ? [] : ['CANCELLED']),
          ]);
          if (error?.code === 'OVERLOADED') expect(error.retryAfterMs).toBeGreaterThanOrEqual(1);
          expect(request.inputs[0]!.data).not.toContain(-1);
        }
        // Runs of those who left may still be under way.
        clock.advance(1000);
        await settled();
        expect(backend.unreleased).toBe(0);
        expect(asked.map(({ request }) => request.owner.holders)).toEqual(asked.map(() => 1));
        await model.close({ graceMs: 0 });
        expect(clock.pendingTimers).toBe(0);
      }),
      RUNS,
    );
  });

  it('keeps to the slots and to the size of runs, and runs nobody who has left', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, given, isInline, learns }) => {
        const { asked, backend } = await simulate(arrivals, given, isInline, learns);
        expect(backend.mostRunning).toBeLessThanOrEqual(given.slots);
        const most = given.maxBatchRows === 'auto' ? 256 : given.maxBatchRows;
        for (const { rows, texts, beganAtNs } of backend.runs) {
          const ids = new Set(texts.map((text) => Number(/ (\d+)/.exec(text)![1])));
          if (given.paddedRows !== undefined) expect(given.paddedRows).toContain(rows);
          // Nothing is split where nothing is joined.
          else if (ids.size > 1 || most > 1) expect(rows).toBeLessThanOrEqual(most);
          for (const id of ids) {
            const one = asked.find((each) => each.id === id)!;
            expect(beganAtNs).toBeLessThanOrEqual(one.cancelledAtNs);
            expect(beganAtNs).toBeLessThan(one.deadlineAtNs);
          }
          // One shape class: all of a run ask for the same.
          const classes = [...ids].map((id) =>
            JSON.stringify([asked[id]!.what.width, asked[id]!.what.outputs]),
          );
          expect(new Set(classes).size).toBe(1);
        }
      }),
      RUNS,
    );
  });

  it('answers nobody later than one run after the deadline', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, given, isInline, learns }) => {
        const { asked } = await simulate(arrivals, { ...given, preserveOrder: false }, isInline, learns);
        for (const { settledAtNs, deadlineAtNs } of asked) {
          if (deadlineAtNs !== Number.POSITIVE_INFINITY)
            expect(settledAtNs - deadlineAtNs).toBeLessThanOrEqual(runNs(21) + 0.5e6);
        }
      }),
      RUNS,
    );
  });

  it('lets answers out in order where that is wanted', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, given, isInline, learns }) => {
        const { asked } = await simulate(arrivals, { ...given, preserveOrder: true }, isInline, learns);
        expect(asked.map(({ turn }) => turn)).toEqual(asked.map((_, at) => at));
      }),
      { numRuns: 60 },
    );
  });
});
