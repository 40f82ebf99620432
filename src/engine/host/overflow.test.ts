import { describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import { createFakeSession, type FakeSession } from './fake-session.ts';
import { createOverflow } from './overflow.ts';
import { createRunCost } from './run-cost.ts';

function ofSize(elements: number): RunRequest {
  const data = new Float32Array(elements);
  return {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [elements], data }],
    outputs: ['y'],
    owner: BORROWED,
  };
}

const SMALL = ofSize(4);
const LARGE = ofSize(4 * 1024);

/** An inline session of 10 µs for the small request; threads whose runs end when told. */
function setUp({ maxThreads = 2, failing = false, threadNs = 20e6 } = {}) {
  const inline = createFakeSession({ run: () => ({ outputs: [], computeNs: 10e3 }) });
  const threads: FakeSession[] = [];
  const open: (() => void)[] = [];
  const overflow = createOverflow({
    cost: createRunCost({ sizeBytes: 16, computeNs: 10e3 }),
    maxThreads,
    log: SILENT,
    openThread: async () => {
      if (failing) throw new Error('no more threads');
      const thread = createFakeSession({
        run: () =>
          new Promise<RunResult>((resolve) => open.push(() => resolve({ outputs: [], computeNs: threadNs }))),
      });
      threads.push(thread);
      return thread;
    },
  });
  return { inline, threads, overflow, open };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createOverflow', () => {
  it('runs what is small inline, and starts no thread for it', async () => {
    const { inline, threads, overflow } = setUp();
    await overflow.run(inline, SMALL);
    expect([inline.runs.length, threads.length]).toEqual([1, 0]);
  });

  it('runs what is predicted to be large on threads, no more of them than allowed', async () => {
    const { inline, threads, overflow, open } = setUp();
    const runs = [0, 1, 2].map(() => overflow.run(inline, LARGE));
    await settled();
    expect(inline.runs).toHaveLength(0);
    expect(threads.map((thread) => thread.runs.length)).toEqual([2, 1]);
    for (const finish of open) finish();
    await Promise.all(runs);
    const later = overflow.run(inline, LARGE);
    await settled();
    open.at(-1)?.();
    await later;
    expect(threads).toHaveLength(2);
    await overflow.close();
    expect(threads.map((thread) => thread.closed)).toEqual([true, true]);
  });

  it('comes back inline for a size that turns out to be quick', async () => {
    const { inline, threads, overflow, open } = setUp({ threadNs: 50e3 });
    const first = overflow.run(inline, LARGE);
    await settled();
    open[0]?.();
    await first;
    await overflow.run(inline, LARGE);
    expect([inline.runs.length, threads[0]?.runs.length]).toEqual([1, 1]);
  });

  it('runs inline where no thread starts, or the thread is being replaced', async () => {
    const none = setUp({ failing: true });
    await none.overflow.run(none.inline, LARGE);
    expect(none.inline.runs).toHaveLength(1);

    const { inline, threads, overflow, open } = setUp({ maxThreads: 1 });
    const first = overflow.run(inline, LARGE);
    await settled();
    open[0]?.();
    await first;
    threads[0]?.set({ available: false });
    await overflow.run(inline, LARGE);
    expect(inline.runs).toHaveLength(1);
  });
});
