import { describe, expect, it } from 'vitest';
import { pass, rowRequest, settled } from './fake-backend.ts';
import { setUp } from './fake-batching.ts';

describe('createBatching, against deadlines', () => {
  it('makes a run only as large as the earliest deadline in it allows', async () => {
    const { ask, backend, clock, inMs } = setUp();
    ask(rowRequest(0, 1));
    // In 11 ms the slot is free; a run of four takes 14.
    for (const id of [1, 2, 3, 4, 5, 6])
      ask(rowRequest(id, 1), { deadlineAtNs: inMs(id === 1 ? 25.5 : 500) });
    await pass(clock, 60);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([1, 4, 2]);
  });

  it('runs by itself who is in time by the typical run only, and nobody who is not', async () => {
    const { ask, backend, clock, inMs, told } = setUp({
      tail: 2,
      runNs: (rows) => (rows === 2 ? 1e6 : 11e6),
    });
    await pass(clock, 1000, 1000);
    ask(rowRequest(0, 2));
    await pass(clock, 1);
    const tight = ask(rowRequest(1, 1), { deadlineAtNs: inMs(15) });
    ask(rowRequest(2, 1), { deadlineAtNs: inMs(1000) });
    await pass(clock, 30);
    expect(backend.runs.map(({ rows }) => rows)).toEqual([2, 1, 1]);
    expect(tight.response).toBeDefined();
    const late = ask(rowRequest(3, 1), { deadlineAtNs: inMs(10) });
    await settled();
    expect(late.error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(late.error!.message).toContain('a run takes 11 ms');
    expect(told).toEqual(['late']);
    expect(backend.runs).toHaveLength(3);
  });

  it('tries now and then whether a run still takes too long', async () => {
    const { ask, backend, clock, inMs } = setUp();
    ask(rowRequest(0, 1));
    await pass(clock, 11);
    await pass(clock, 200, 200);
    ask(rowRequest(1, 1), { deadlineAtNs: inMs(5) });
    expect(backend.runs).toHaveLength(2);
  });

  it('refuses at once who could not be answered in time, and says when to come again', async () => {
    const { ask, clock, inMs, told } = setUp({ maxBatchRows: 1 });
    for (const id of [0, 1, 2]) ask(rowRequest(id, 1), { deadlineAtNs: inMs(35) });
    await pass(clock, 1);
    // 10 ms of the first, 22 of the two others, and 11 of its own.
    const late = ask(rowRequest(3, 1), { deadlineAtNs: inMs(40) });
    const inTime = ask(rowRequest(4, 1), { deadlineAtNs: inMs(44) });
    await settled();
    expect(late.atMs).toBe(1);
    expect(late.error).toMatchObject({ code: 'OVERLOADED', retryAfterMs: 3 });
    expect(late.error!.message).toBe(
      '2 requests are waiting: this one would run after 32 ms and take up to 11 ms, and its deadline is in 40 ms; ' +
        'try again in 3 ms or allow more time',
    );
    expect(told).toEqual(['late']);
    await pass(clock, 3);
    const again = ask(rowRequest(5, 1), { deadlineAtNs: inMs(51) });
    await pass(clock, 60);
    expect(inTime.atMs).toBeLessThanOrEqual(45);
    expect(again.response).toBeDefined();
  });

  it('lets the urgent in past those who have time', async () => {
    const { ask, clock, inMs } = setUp({ maxBatchRows: 1 });
    for (let id = 0; id < 20; id++) ask(rowRequest(id, 1), { deadlineAtNs: inMs(2000) });
    const urgent = ask(rowRequest(99, 1), { deadlineAtNs: inMs(30) });
    await pass(clock, 30);
    expect(urgent.response).toBeDefined();
  });

  it('answers when the deadline passes in the queue, and takes the request out', async () => {
    // Runs take four times what is known of them.
    const { ask, backend, clock, inMs, told } = setUp({ runNs: () => 44e6 });
    ask(rowRequest(0, 1));
    const waiting = ask(rowRequest(1, 1), { deadlineAtNs: inMs(30) });
    await pass(clock, 100);
    expect(waiting).toMatchObject({ atMs: 30, error: { code: 'DEADLINE_EXCEEDED' } });
    expect(told).toEqual(['expired']);
    expect(backend.runs).toHaveLength(1);
  });

  it('gives a request without a deadline the objective', async () => {
    const { ask, clock } = setUp({ objectiveMs: 30, runNs: () => 44e6 });
    ask(rowRequest(0, 1));
    const waiting = ask(rowRequest(1, 1));
    await pass(clock, 40);
    expect(waiting).toMatchObject({ atMs: 30, error: { code: 'DEADLINE_EXCEEDED' } });
  });

  it('does not let small runs for the late make all others late', async () => {
    const { ask, backend, clock } = setUp({ objectiveMs: 60, maxBatchRows: 32 });
    // Three times what runs of the best size could serve, for two seconds.
    const asked = [];
    for (let id = 0; clock.nowNs() < 2e9; id++) {
      asked.push(ask(rowRequest(id, 1)));
      await pass(clock, 0.45, 0.45);
    }
    await pass(clock, 100);
    const inTime = asked.filter(({ response }) => response !== undefined).length;
    const best = Math.floor((20 / 30) * 2000);
    expect(inTime).toBeGreaterThan(0.85 * best);
    const accepted = asked.filter(({ error }) => error?.code !== 'OVERLOADED').length;
    expect(inTime / accepted).toBeGreaterThan(0.97);
    expect(Math.max(...backend.runs.map(({ rows }) => rows))).toBeLessThanOrEqual(32);
  });

  it('goes on after the clock jumped ahead', async () => {
    const { ask, clock, inMs } = setUp();
    ask(rowRequest(0, 1));
    const before = [1, 2, 3].map((id) => ask(rowRequest(id, 1), { deadlineAtNs: inMs(500) }));
    clock.advance(10_000);
    await settled();
    for (const { error } of before) expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const after = [4, 5, 6].map((id) => ask(rowRequest(id, 1), { deadlineAtNs: inMs(500) }));
    await pass(clock, 100);
    for (const { response } of after) expect(response).toBeDefined();
  });
});

describe('createBatching, with a queue policy', () => {
  const queue = { maxWaiting: 2, timeoutAction: 'reject', allowTimeoutOverride: false } as const;

  it('refuses who finds the queue full, by level', async () => {
    const { ask, told } = setUp({
      ...{ queue, queueByPriority: { 2: { ...queue, maxWaiting: 1 } } },
      priorities: { levels: 2, defaultLevel: 1 },
    });
    const asked = [1, 1, 1, 1, 2, 2].map((priority, id) => ask(rowRequest(id, 1), { priority }));
    await settled();
    expect(asked.map(({ error }) => error?.code)).toEqual([
      ...[undefined, undefined, undefined, 'OVERLOADED', undefined, 'OVERLOADED'],
    ]);
    expect(asked[3]!.error!.retryAfterMs).toBeGreaterThanOrEqual(1);
    expect(told).toEqual(['full', 'full']);
  });

  it('counts a split request once', async () => {
    const { ask } = setUp({ queue });
    const asked = [1, 30, 30, 1].map((rows, id) => ask(rowRequest(id, rows)));
    await settled();
    expect(asked.map(({ error }) => error?.code)).toEqual([undefined, undefined, undefined, 'OVERLOADED']);
  });

  it('refuses who waits too long, by a time of its own where that may be', async () => {
    const policy = { ...queue, maxWaiting: 9, defaultTimeoutMs: 8, allowTimeoutOverride: true };
    const { ask, backend, clock } = setUp({ queue: policy });
    ask(rowRequest(0, 1));
    const own = ask(rowRequest(1, 1, { parameters: { timeout: 3000 } }));
    const usual = ask(rowRequest(2, 1));
    await pass(clock, 50);
    expect(own).toMatchObject({ atMs: 3, error: { code: 'DEADLINE_EXCEEDED' } });
    expect(usual).toMatchObject({ atMs: 8, error: { code: 'DEADLINE_EXCEEDED' } });
    expect(backend.runs).toHaveLength(1);
  });

  it('sends who waits too long to the end where that is wanted', async () => {
    const policy = { ...queue, maxWaiting: 9, defaultTimeoutMs: 5, timeoutAction: 'delay' } as const;
    const { ask, backend, clock } = setUp({ queue: policy, maxBatchRows: 1 });
    ask(rowRequest(0, 1));
    const delayed = ask(rowRequest(1, 1));
    await pass(clock, 8);
    ask(rowRequest(2, 1));
    await pass(clock, 40);
    expect(backend.runs.map(({ texts }) => texts[0])).toEqual(['row 0.0', 'row 2.0', 'row 1.0']);
    expect(delayed.response).toBeDefined();
  });
});
