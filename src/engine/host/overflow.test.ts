import { describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import { createFakeSession, type FakeSession } from './fake-session.ts';
import { createOverflow } from './overflow.ts';

const REQUEST: RunRequest = { inputs: [], outputs: ['y'], owner: BORROWED };

/** Threads whose runs end when told. */
function setUp({ maxThreads = 2, failing = false } = {}) {
  const inline = createFakeSession();
  const threads: FakeSession[] = [];
  const open: (() => void)[] = [];
  const overflow = createOverflow({
    maxThreads,
    log: SILENT,
    openThread: async () => {
      if (failing) throw new Error('no more threads');
      const thread = createFakeSession({
        run: () =>
          new Promise<RunResult>((resolve) => open.push(() => resolve({ outputs: [], computeNs: 20e6 }))),
      });
      threads.push(thread);
      return thread;
    },
  });
  return { inline, threads, overflow, open };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createOverflow', () => {
  it('starts threads as they are needed, and no more of them than allowed', async () => {
    const { inline, threads, overflow, open } = setUp();
    expect(threads).toHaveLength(0);
    const runs = [0, 1, 2].map(() => overflow.run(inline, REQUEST));
    await settled();
    expect(inline.runs).toHaveLength(0);
    expect(threads.map((thread) => thread.runs.length)).toEqual([2, 1]);
    for (const finish of open) finish();
    await Promise.all(runs);
    const later = overflow.run(inline, REQUEST);
    await settled();
    open.at(-1)?.();
    await later;
    expect(threads).toHaveLength(2);
    await overflow.close();
    expect(threads.map((thread) => thread.closed)).toEqual([true, true]);
  });

  it('runs inline where no thread starts, or the thread is being replaced', async () => {
    const none = setUp({ failing: true });
    await none.overflow.run(none.inline, REQUEST);
    expect(none.inline.runs).toHaveLength(1);

    const { inline, threads, overflow, open } = setUp({ maxThreads: 1 });
    const first = overflow.run(inline, REQUEST);
    await settled();
    open[0]?.();
    await first;
    threads[0]?.set({ available: false });
    await overflow.run(inline, REQUEST);
    expect(inline.runs).toHaveLength(1);
  });
});
