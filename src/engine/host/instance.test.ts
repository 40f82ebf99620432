import { describe, expect, it } from 'vitest';
import { BORROWED } from '../../base/tensor/owner.ts';
import { createCancelSource, NEVER_CANCELLED } from '../../base/util/cancel.ts';
import { createFakeSession } from './fake-session.ts';
import { createHostedInstance } from './instance.ts';

const signature = { inputs: [], outputs: [], batchAxis: 'none' as const };
const request = { inputs: [], outputs: ['y'], owner: BORROWED };

function instanceOver(sessions: readonly ReturnType<typeof createFakeSession>[]) {
  return createHostedInstance({
    host: 'thread',
    hostReason: 'thread: test',
    signature,
    memoryBytes: 5,
    sessions,
  });
}

describe('createHostedInstance', () => {
  it('lends each slot once and tells when one comes free', async () => {
    const sessions = [createFakeSession(), createFakeSession()];
    const instance = instanceOver(sessions);
    let freed = 0;
    instance.onFree(() => {
      freed += 1;
    });
    const [first, second] = [instance.tryAcquire(), instance.tryAcquire()];
    expect([first?.slot, second?.slot, instance.tryAcquire()]).toEqual([0, 1, undefined]);
    await instance.run(second!, request, NEVER_CANCELLED);
    expect(sessions.map((session) => session.runs.length)).toEqual([0, 1]);
    first?.release();
    expect(freed).toBe(1);
    expect(() => first?.release()).toThrow(/twice/);
    expect(instance.tryAcquire()?.slot).toBe(0);
  });

  it('does not begin a run that is cancelled', async () => {
    const session = createFakeSession();
    const instance = instanceOver([session]);
    const cancel = createCancelSource();
    cancel.cancel('client-left');
    await expect(instance.run(instance.tryAcquire()!, request, cancel)).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(session.runs).toHaveLength(0);
  });

  it('lends no slot whose thread is being replaced, and tells its health', () => {
    const sessions = [createFakeSession(), createFakeSession()];
    const instance = instanceOver(sessions);
    const health: string[] = [];
    instance.onFree(() => health.push(instance.health));
    sessions[0]?.set({ available: false });
    expect(instance.tryAcquire()?.slot).toBe(1);
    sessions[1]?.set({ available: false, failedRestarts: 3 });
    sessions[0]?.set({ failedRestarts: 3 });
    sessions[0]?.set({ available: true, failedRestarts: 0 });
    expect(health).toEqual(['degraded', 'degraded', 'failed', 'degraded']);
  });

  it('closes each session once', async () => {
    const shared = createFakeSession();
    let others = 0;
    const instance = createHostedInstance({
      ...{ host: 'inline', hostReason: '', signature, memoryBytes: 0, sessions: [shared, shared] },
      close: async () => {
        others += 1;
      },
    });
    expect(instance.slots).toBe(2);
    await instance.drain();
    expect([shared.closed, others]).toEqual([true, 1]);
  });

  it('ends runs only where every session can', () => {
    const killed: string[] = [];
    const killable = (name: string) => ({ ...createFakeSession(), kill: () => void killed.push(name) });
    const [one, other] = [killable('one'), killable('other')];
    expect(instanceOver([one, createFakeSession()])).not.toHaveProperty('kill');
    instanceOver([one, other, one]).kill?.();
    expect(killed).toEqual(['one', 'other']);
  });

  it('runs at once on a free slot only, and holds none for it', async () => {
    const session = createFakeSession({ runNow: () => ({ outputs: [], computeNs: 5 }) });
    const instance = createHostedInstance({
      ...{ host: 'inline', hostReason: '', signature, memoryBytes: 0, sessions: [session, session] },
      runNow: (chosen, asked) => chosen.runNow?.(asked),
    });
    const leases = [instance.tryAcquire(), instance.tryAcquire()];
    expect(instance.runNow?.(request)).toBeUndefined();
    leases[1]?.release();
    expect(instance.runNow?.(request)).toEqual({ outputs: [], computeNs: 5 });
    expect(instance.tryAcquire()?.slot).toBe(1);
    expect(session.runs).toHaveLength(1);
  });

  it('runs at once on no session that is being replaced, and only where it was told how', () => {
    const session = createFakeSession({ runNow: () => ({ outputs: [], computeNs: 5 }) });
    expect(instanceOver([session])).not.toHaveProperty('runNow');
    const instance = createHostedInstance({
      ...{ host: 'inline', hostReason: '', signature, memoryBytes: 0, sessions: [session] },
      runNow: (chosen, asked) => chosen.runNow?.(asked),
    });
    session.set({ available: false });
    expect(instance.runNow?.(request)).toBeUndefined();
    expect(session.runs).toHaveLength(0);
  });

  it('is split into one instance for each session, each with its own slots and health', async () => {
    const [one, other] = [createFakeSession(), createFakeSession()];
    const parts = instanceOver([one, other, one, other]).split?.() ?? [];
    expect(parts.map(({ slots, memoryBytes }) => [slots, memoryBytes])).toEqual([
      [2, 2.5],
      [2, 2.5],
    ]);
    const [first, second] = parts;
    await second!.run(second!.tryAcquire()!, request, NEVER_CANCELLED);
    expect([one.runs.length, other.runs.length]).toEqual([0, 1]);
    second!.tryAcquire();
    expect([first!.hasRoom, second!.hasRoom]).toEqual([true, false]);
    let heard = 0;
    first!.onFree(() => {
      heard += 1;
    });
    one.set({ available: false });
    expect([heard, first!.health, first!.hasRoom, second!.health]).toEqual([1, 'degraded', false, 'ready']);
    await first!.drain();
    expect([one.closed, other.closed]).toEqual([true, false]);
  });

  it('cannot be split where there is one session, or runs may go elsewhere', () => {
    expect(instanceOver([createFakeSession()]).split).toBeUndefined();
    const elsewhere = createHostedInstance({
      ...{ host: 'inline', hostReason: '', signature, memoryBytes: 0 },
      sessions: [createFakeSession(), createFakeSession()],
      run: (session, asked) => session.run(asked),
    });
    expect(elsewhere.split).toBeUndefined();
  });
});
