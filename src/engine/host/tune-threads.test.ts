import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import { createFakeSession, type FakeSession } from './fake-session.ts';
import type { MeasuredPlan } from './measure-plan.ts';
import type { ThreadPlan } from './thread-plan.ts';
import { type TuneDeps, type TuneInput, threadCandidates, tuneThreads } from './tune-threads.ts';
import type { TuningCache } from './tuning-cache.ts';

const machine = { cores: 4, memoryBytes: 2 ** 34 };
const plan: ThreadPlan = { instances: 4, intraOpThreads: 1 };
const INPUT: TuneInput = {
  ...{ plan, machine, modelBytes: 1e6, effort: 'auto', target: 'balanced', outputs: [] },
  findInputs: async () => [],
  key: { contentHash: 'abc', options: [], cores: 4, cpu: 'c', versions: [] },
};

/** Lets time pass until the work is done: sessions here take time on the fake clock. */
async function passing<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  void work.then(done, done);
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
  }
  return work;
}

function memoryCache(known?: readonly MeasuredPlan[]) {
  const written: (readonly MeasuredPlan[])[] = [];
  const cache: TuningCache = {
    read: async () => known,
    write: async (_key, measured) => void written.push(measured),
  };
  return { cache, written };
}

/** Machines on which a run takes `runMs` with so many threads. */
function tune(
  runMs: (plan: ThreadPlan) => number,
  more: {
    readonly input?: Partial<TuneInput>;
    readonly known?: readonly MeasuredPlan[];
    readonly loadMs?: number;
    readonly refuse?: (plan: ThreadPlan) => boolean;
  } = {},
) {
  const clock = createFakeClock();
  const { cache, written } = memoryCache(more.known);
  const opened: (readonly [ThreadPlan, readonly FakeSession[]])[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  const deps: TuneDeps = {
    ...{ clock, log: SILENT, cache },
    async open(one) {
      if (more.refuse?.(one)) throw new NimifyError('ENGINE_FAILED', 'no more memory');
      await wait(more.loadMs ?? 1);
      const sessions = Array.from({ length: one.instances }, () =>
        createFakeSession({
          async run() {
            await wait(runMs(one));
            return { outputs: [], computeNs: 1 };
          },
        }),
      );
      opened.push([one, sessions]);
      return sessions;
    },
  };
  const tuned = passing(clock, tuneThreads({ ...INPUT, ...more.input }, deps));
  return { tuned, written, opened };
}

describe('threadCandidates', () => {
  const of = (more: Partial<TuneInput>) =>
    threadCandidates({ ...INPUT, ...more }).map(
      ({ instances, intraOpThreads }) => `${instances} x ${intraOpThreads}`,
    );

  it('are the rule first, then all cores for one run', () => {
    expect(of({})).toEqual(['4 x 1', '1 x 4']);
    expect(of({ machine: { ...machine, cores: 1 }, plan: { instances: 1, intraOpThreads: 1 } })).toEqual([
      '1 x 1',
    ]);
  });

  it('are what lies between too where time is given', () => {
    expect(of({ effort: 'full' })).toEqual(['4 x 1', '1 x 4', '2 x 2']);
    const large = { machine: { ...machine, cores: 12 }, plan: { instances: 12, intraOpThreads: 1 } };
    expect(of({ ...large, effort: 'full' })).toEqual(['12 x 1', '1 x 12', '6 x 2', '3 x 4']);
  });

  it('leave out what would not fit into half of the memory beside the rule', () => {
    const heavy = { modelBytes: 2 ** 32, plan: { instances: 1, intraOpThreads: 4 } };
    expect(of(heavy)).toEqual(['1 x 4']);
    expect(of({ ...heavy, modelBytes: 2 ** 30 })).toEqual(['1 x 4', '4 x 1']);
  });
});

describe('tuneThreads', () => {
  /** Threads within a run gain nothing. */
  const flat = () => 8;
  /** Four times as many threads are thrice as fast. */
  const quick = ({ intraOpThreads }: ThreadPlan) => (intraOpThreads === 4 ? 4 : 12);

  it('keeps the rule where it is no worse, and closes the other sessions', async () => {
    const { tuned, opened } = tune(flat);
    const { plan: chosen, sessions, note } = await tuned;
    expect(chosen).toEqual(plan);
    expect(note).toMatch(
      /^measured, for balanced: 4 x 1 gives .* runs\/s and .* ms alone, against 1 x 4 gives /,
    );
    for (const [, all] of opened) {
      for (const session of all) expect(session.closed).toBe(!sessions.includes(session));
    }
  });

  it('takes what the target asks for', async () => {
    const instancesFor = async (target: TuneInput['target']) =>
      (await tune(quick, { input: { target } }).tuned).plan.instances;
    expect(await instancesFor('latency')).toBe(1);
    expect(await instancesFor('balanced')).toBe(1);
    expect(await instancesFor('throughput')).toBe(4);
    expect(await instancesFor('memory')).toBe(1);
  });

  it('keeps what it measured, and goes by what an earlier start measured', async () => {
    const { tuned, written } = tune(quick);
    await tuned;
    expect(written[0]?.map(({ instances, latencyNs }) => [instances, Math.round(latencyNs / 1e6)])).toEqual([
      [4, 12],
      [1, 4],
    ]);
    const later = tune(flat, { known: written[0]! });
    expect(await later.tuned).toMatchObject({
      plan: { instances: 1, intraOpThreads: 4 },
      note: expect.stringContaining('measured at an earlier start'),
    });
    expect(later.opened).toHaveLength(1);
  });

  it('measures anew where what is kept lacks a plan that is possible now', async () => {
    const known = [{ instances: 2, intraOpThreads: 2, latencyNs: 1, throughputPerS: 1e9 }];
    const { tuned, written } = tune(flat, { known });
    expect((await tuned).plan).toEqual(plan);
    expect(written).toHaveLength(1);
  });

  it.each<[string, number, Parameters<typeof tune>[1]]>([
    ['loading takes', 5, { loadMs: 1500 }],
    ['a run takes', 200, {}],
    ['no example request is known', 5, { input: { findInputs: async () => undefined } }],
  ])('compares nothing where %s too long, or it is not known', async (why, runMs, more) => {
    const { tuned, opened, written } = tune(() => runMs, more);
    expect(await tuned).toMatchObject({ plan, note: expect.stringContaining(`not compared: ${why}`) });
    expect([opened.length, written.length]).toEqual([1, 0]);
  });

  it('chooses and keeps nothing by what it saw while the machine was busy', async () => {
    let runs = 0;
    const busyAtFirst = ({ intraOpThreads }: ThreadPlan) => {
      runs += 1;
      return (intraOpThreads === 4 ? 4 : 12) * (runs < 20 ? 5 : 1);
    };
    const { tuned, written } = tune(busyAtFirst);
    expect(await tuned).toMatchObject({ plan, note: 'not compared: the machine was busy with other work' });
    expect(written).toEqual([]);
  });

  it('stays with the rule where another plan cannot be loaded, and fails where the rule cannot', async () => {
    const one = tune(flat, { refuse: ({ instances }) => instances === 1 });
    expect(await one.tuned).toMatchObject({ plan, note: 'not compared: that failed' });
    expect(one.opened[0]?.[1].some((session) => session.closed)).toBe(false);
    await expect(tune(flat, { refuse: () => true }).tuned).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });
});
