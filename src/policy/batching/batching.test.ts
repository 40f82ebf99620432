import { describe, expect, it } from 'vitest';
import { createOwner } from '../../base/tensor/owner.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import type { InferRequest } from '../../model/request.ts';
import { createBatching } from './batching.ts';
import { computeRows, createFakeBackend, pass, ROW_SIGNATURE, rowRequest, valuesOf } from './fake-backend.ts';
import { setUp } from './fake-batching.ts';
import { createFakeCosts } from './fake-costs.ts';

describe('createBatching', () => {
  it('hands the very request on where a slot is free', async () => {
    const { ask, backend, clock, costs } = setUp();
    const { request, context } = ask(rowRequest(1, 3));
    expect(backend.requests[0]).toBe(request);
    expect(backend.contexts[0]).toBe(context);
    await pass(clock, 20);
    expect(costs.observed).toEqual([{ rows: 3, ns: 13e6 }]);
  });

  it('joins those who waited, and gives each its own rows with the times of the run', async () => {
    const { ask, backend, clock, ran } = setUp();
    const asked = [1, 2, 3].map((id) => ask(rowRequest(id, id)));
    await pass(clock, 40);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([1, 5]);
    expect(ran).toEqual([
      [1, 1],
      [5, 2],
    ]);
    for (const { request, response } of asked)
      expect(valuesOf(response!.outputs)).toEqual(valuesOf(computeRows(request)));
    expect(asked[2]!.response).toMatchObject({ id: '3', report: { batchRows: 5, computeNs: 15e6 } });
    expect(asked[2]!.context.phases).toMatchObject({ queueNs: 11e6, computeNs: 15e6 });
  });

  it('releases a joined answer with the last of those who hold a part', async () => {
    const { ask, backend, clock } = setUp();
    const asked = [1, 2, 3].map((id) => ask(rowRequest(id, 1)));
    await pass(clock, 40);
    const [first, second, third] = asked.map(({ response }) => response!);
    first!.owner.release();
    second!.owner.release();
    expect(backend.unreleased).toBe(1);
    expect(valuesOf(third!.outputs)).toEqual(valuesOf(computeRows(asked[2]!.request)));
    third!.owner.release();
    expect(backend.unreleased).toBe(0);
  });

  it('does not join shapes or wanted outputs that differ', async () => {
    const { ask, backend, clock } = setUp();
    ask(rowRequest(0, 1));
    for (const width of [2, 3, 2, 3]) ask(rowRequest(1, 1, { width }));
    ask(rowRequest(1, 1, { outputs: ['sum'] }));
    await pass(clock, 80);
    expect(backend.runs.map(({ rows, width }) => [rows, width])).toEqual([
      [1, 2],
      [2, 2],
      [2, 3],
      [1, 2],
    ]);
  });

  it('runs sequences, requests without rows and whatever has no batch axis alone', async () => {
    const alone = setUp();
    const sequence = { id: 1, start: true, end: false };
    for (const request of [
      rowRequest(0, 1),
      rowRequest(1, 1, { sequence }),
      rowRequest(2, 1, { sequence }),
      rowRequest(3, 0),
    ])
      alone.ask(request);
    await pass(alone.clock, 80);
    expect(alone.backend.runs.map(({ rows }) => rows)).toEqual([1, 1, 1, 0]);

    const none = setUp({ signature: { ...ROW_SIGNATURE, batchAxis: 'none' } });
    for (const id of [0, 1, 2]) none.ask(rowRequest(id, 20));
    await pass(none.clock, 200);
    expect(none.backend.runs.map(({ rows }) => rows)).toEqual([20, 20, 20]);
  });

  it('splits what is larger than a run may be, and shares the last piece with others', async () => {
    const { ask, backend, clock } = setUp();
    const large = ask(rowRequest(1, 19));
    const small = ask(rowRequest(2, 2));
    await pass(clock, 100);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([8, 8, 5]);
    for (const { request, response } of [large, small])
      expect(valuesOf(response!.outputs)).toEqual(valuesOf(computeRows(request)));
    expect(large.response!.report.computeNs).toBe(18e6 + 18e6 + 15e6);
    expect(large.request.owner.holders).toBe(1);
  });

  it('holds the buffers of a split request while pieces of it run, so that no host takes them away', async () => {
    const { ask, backend } = setUp();
    const { request } = ask(rowRequest(1, 9));
    expect(backend.requests[0]!.owner).toBe(request.owner);
    expect(request.owner.holders).toBeGreaterThan(1);
  });

  it('fails a split request as a whole, and runs no more of it', async () => {
    const { ask, backend, clock } = setUp();
    const bad = ask(rowRequest(1, 30, { text: 'bad' }));
    await pass(clock, 100);
    expect(bad.error).toMatchObject({ code: 'INVALID_INPUT' });
    expect(backend.runs).toHaveLength(1);
    expect(bad.request.owner.holders).toBe(1);
  });

  it('fills runs up to the sizes that a model has, and shows a model of any size', async () => {
    const fixed = ROW_SIGNATURE.inputs.map((spec) => ({ ...spec, shape: [4, ...spec.shape.slice(1)] }));
    const signature = { ...ROW_SIGNATURE, inputs: fixed, batchAxis: 'none' as const };
    const { ask, backend, clock, model } = setUp({ paddedRows: [4], signature });
    expect(model.signature.inputs[0]!.shape).toEqual([-1, -1]);
    const asked = [ask(rowRequest(1, 3)), ask(rowRequest(2, 2)), ask(rowRequest(3, 4))];
    await pass(clock, 100);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([4, 4, 4]);
    expect(backend.runs[0]!.texts.slice(2)).toEqual(['row 1.2', 'row 1.2']);
    for (const { request, response } of asked)
      expect(valuesOf(response!.outputs)).toEqual(valuesOf(computeRows(request)));
    expect(asked[0]!.response!.report.batchRows).toBe(3);
  });

  it('splits requests only above the sizes that a model has, however few rows it may join', async () => {
    const { ask, backend, clock } = setUp({ paddedRows: [4], maxBatchRows: 1 });
    const asked = [
      ask(rowRequest(1, 6)),
      ask(rowRequest(2, 1)),
      ask(rowRequest(3, 1)),
      ask(rowRequest(4, 3)),
    ];
    await pass(clock, 100);
    expect(backend.runs.map(({ texts }) => new Set(texts).size)).toEqual([4, 2, 1, 1, 3]);
    expect(backend.runs.every(({ rows }) => rows === 4)).toBe(true);
    for (const { request, response } of asked)
      expect(valuesOf(response!.outputs)).toEqual(valuesOf(computeRows(request)));
  });

  it('refuses a request without rows where runs are filled up with them', async () => {
    const { ask, backend, clock } = setUp({ paddedRows: [4] });
    const empty = ask(rowRequest(1, 0));
    await pass(clock, 100);
    expect(backend.runs).toEqual([]);
    expect(empty.error).toMatchObject({
      code: 'INVALID_INPUT',
      details: { where: 'inputs[0].shape', got: '[0,2]' },
    });
  });

  it('stops to join where the answer has not as many rows as were asked', async () => {
    const clock = createFakeClock();
    const costs = createFakeCosts({ fixedNs: 1e6, perRowNs: 0 });
    const backend = createFakeBackend(clock, () => 1e6);
    const whole = {
      ...backend,
      infer: async (request: InferRequest, context: RequestContext) => {
        const response = await backend.infer(request, context);
        return { ...response, outputs: response.outputs.map((each) => ({ ...each, shape: [1, 1] })) };
      },
    };
    const model = createBatching({ clock, costs }, { slots: 1, maxBatchRows: 8, maxDelayMs: 0 })(whole);
    const answers = [1, 2, 3, 4].map((id) => model.infer(rowRequest(id, 1), createContext()));
    await pass(clock, 30);
    expect(await Promise.all(answers)).toHaveLength(4);
    const later = [5, 6, 7].map((id) => model.infer(rowRequest(id, 1), createContext()));
    await pass(clock, 30);
    expect(await Promise.all(later)).toHaveLength(3);
    expect(backend.runs.slice(-3).map(({ rows }) => rows)).toEqual([1, 1, 1]);
  });
});

describe('createBatching, in which order', () => {
  it('takes the earliest deadline first', async () => {
    const { ask, backend, clock, inMs } = setUp({ maxBatchRows: 1 });
    ask(rowRequest(0, 1));
    for (const [id, ms] of [
      [1, 400],
      [2, 100],
      [3, 200],
    ] as const)
      ask(rowRequest(id, 1), { deadlineAtNs: inMs(ms) });
    await pass(clock, 60);
    expect(backend.runs.map(({ texts }) => texts[0])).toEqual(['row 0.0', 'row 2.0', 'row 3.0', 'row 1.0']);
  });

  it('takes the more urgent level first, and the default for a request of none', async () => {
    const { ask, backend, clock } = setUp({ maxBatchRows: 1, priorities: { levels: 3, defaultLevel: 2 } });
    ask(rowRequest(0, 1));
    for (const [id, priority] of [3, 0, 1, 9].entries()) ask(rowRequest(id + 1, 1), { priority });
    await pass(clock, 80);
    expect(backend.runs.map(({ texts }) => texts[0])).toEqual([
      ...['row 0.0', 'row 3.0', 'row 2.0', 'row 1.0', 'row 4.0'],
    ]);
  });

  it('starves nobody, however many of a more urgent level keep coming', async () => {
    const { ask, clock } = setUp({ maxBatchRows: 1, priorities: { levels: 2, defaultLevel: 1 } });
    const low = ask(rowRequest(0, 1), { priority: 1 });
    const lower = ask(rowRequest(1, 1), { priority: 2 });
    // More than there is room for, all the time.
    for (let id = 2; Number.isNaN(lower.atMs) && id < 2000; id++) {
      ask(rowRequest(id, 1), { priority: 1 });
      await pass(clock, 8);
    }
    expect(low.atMs).toBeLessThan(20);
    expect(lower.atMs).toBeGreaterThan(500);
    // A second of age is worth a level; then those are served who came within that second.
    expect(lower.atMs).toBeLessThan(1600);
  });

  it('leaves a lower level time enough to keep an objective', async () => {
    const objectiveMs = 100;
    const { ask, clock } = setUp({
      maxBatchRows: 1,
      objectiveMs,
      priorities: { levels: 2, defaultLevel: 1 },
    });
    ask(rowRequest(0, 1));
    const low = ask(rowRequest(1, 1), { priority: 2 });
    for (let id = 2; Number.isNaN(low.atMs) && id < 100; id++) {
      ask(rowRequest(id, 1), { priority: 1 });
      await pass(clock, 9);
    }
    expect(low.response).toBeDefined();
    expect(low.atMs).toBeLessThanOrEqual(objectiveMs);
  });
});

describe('createBatching, waiting for more', () => {
  it('keeps a fixed window, cut short by a full run or a preferred size', async () => {
    const { ask, backend, clock } = setUp({ maxDelayMs: 5, preferredRows: [3], maxBatchRows: 4 });
    ask(rowRequest(0, 1));
    await pass(clock, 4);
    expect(backend.runs).toHaveLength(0);
    await pass(clock, 1);
    expect(backend.runs).toHaveLength(1);
    await pass(clock, 20);
    ask(rowRequest(1, 2));
    ask(rowRequest(2, 1));
    await pass(clock, 1);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([1, 3]);
    await pass(clock, 20);
    ask(rowRequest(3, 2));
    ask(rowRequest(4, 2));
    await pass(clock, 1);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([1, 3, 4]);
  });

  it('ends the window where a deadline would not hold any more', async () => {
    const { ask, backend, clock, inMs } = setUp({ maxDelayMs: 50 });
    ask(rowRequest(0, 1), { deadlineAtNs: inMs(20) });
    await pass(clock, 40);
    expect(backend.runs[0]!.beganAtNs).toBe(8e6);
  });

  it('lets answers out in order where that is wanted', async () => {
    const { ask, clock, inMs } = setUp({ maxBatchRows: 1, preserveOrder: true, slots: 2 });
    const first = ask(rowRequest(0, 8));
    const second = ask(rowRequest(1, 1));
    const third = ask(rowRequest(2, 1), { deadlineAtNs: inMs(500) });
    await pass(clock, 60);
    expect([first.atMs, second.atMs, third.atMs]).toEqual([18, 18, 22]);
  });
});

it('never hands buffers on that others hold too', async () => {
  const { ask, backend, clock } = setUp();
  ask(rowRequest(0, 1));
  const owner = createOwner();
  const request = rowRequest(1, 1, { owner });
  ask(request);
  await pass(clock, 12);
  // Alone in its run it is what it was; joined it is a copy of which the host may do what it likes.
  expect(backend.requests[1]).toBe(request);
  ask(rowRequest(2, 1));
  ask(rowRequest(3, 1));
  await pass(clock, 12);
  expect(backend.requests[2]!.owner.holders).toBe(2);
  await pass(clock, 30);
  expect(owner.holders).toBe(1);
});
