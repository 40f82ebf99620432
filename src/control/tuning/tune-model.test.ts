import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { passTime } from '../../base/util/fake-time.ts';
import type { Plan } from './contract.ts';
import { createFakeSubject, type FakeSubjectOptions } from './fake-subject.ts';
import { rowsOf } from './plans.ts';
import { type TuneModelInput, tuneModel } from './tune-model.ts';

const wide: Plan = { host: 'thread', instances: 2, intraOpThreads: 1 };
const deep: Plan = { host: 'thread', instances: 1, intraOpThreads: 2 };

function tune(more: Partial<TuneModelInput> = {}, options: Partial<FakeSubjectOptions> = {}) {
  const clock = createFakeClock();
  const subject = createFakeSubject({
    clock,
    // Rows cost little beside the run; two threads are half as fast again as one.
    runMs: ({ intraOpThreads }, rows) => (40 + rows) / (intraOpThreads === 2 ? 1.5 : 1),
    ...options,
  });
  const steps: string[] = [];
  const input: TuneModelInput = {
    ...{ subject, plans: [wide, deep], limitMs: Number.POSITIVE_INFINITY, percentile: 99 },
    ...{ budgetNs: 40e9, target: 'throughput', onStep: (step) => void steps.push(step), ...more },
  };
  return { subject, steps, tuning: passTime(clock, tuneModel(input, { clock })) };
}

describe('tuneModel', () => {
  it('finds the plan and the batch that give most, and closes what it opened', async () => {
    const { subject, steps, tuning } = tune();
    const { chosen, unbatchable, frontier, leftOut } = await tuning;
    expect(chosen?.setting.plan).toBe(wide);
    const { batching } = chosen!.setting;
    expect(typeof batching === 'object' && batching.maxBatchSize).toBeGreaterThan(16);
    expect([unbatchable, leftOut]).toEqual([undefined, []]);
    expect(frontier.length).toBeGreaterThan(2);
    expect(subject.openNow).toBe(0);
    expect(steps).toEqual(['thread, 2 x 1', 'thread, 1 x 2', 'check of the choice']);
  });

  it('takes the fastest answers where that is the target', async () => {
    const { chosen } = await tune({ target: 'latency' }).tuning;
    expect(chosen?.setting).toMatchObject({ plan: deep });
    expect(chosen?.latencyMs).toBeLessThan(32);
  });

  it('keeps to the objective, with requests that come by chance too', async () => {
    const limitMs = 80;
    const { chosen, verified } = await tune({ limitMs }).tuning;
    expect(chosen?.best.latencyMs.asked).toBeLessThanOrEqual(limitMs);
    expect(verified.at(-1)?.load.kind).toBe('open');
    expect(verified.at(-1)?.latencyMs.asked).toBeLessThanOrEqual(limitMs);
  });

  it('says what comes closest where none keeps to the objective', async () => {
    const { chosen, closest, verified } = await tune({ limitMs: 5 }).tuning;
    expect([chosen, verified]).toEqual([undefined, []]);
    expect(closest?.setting.plan).toBe(deep);
    expect(closest?.latencyMs.asked).toBeGreaterThan(5);
  });

  it('tries no batches of a model that has none, and refuses sizes for it', async () => {
    const { chosen, points, unbatchable } = await tune({}, { isBatchable: false }).tuning;
    expect(unbatchable).toBe('rows influence each other');
    expect(new Set(points.map(({ setting }) => setting.batching))).toEqual(new Set(['off']));
    expect(chosen?.setting).toEqual({ plan: wide, batching: 'off' });
    const refused = tune({ batchSizes: [1, 4] }, { isBatchable: false });
    await expect(refused.tuning).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('rows influence each other'),
    });
    expect(refused.subject.openNow).toBe(0);
  });

  it('tries the sizes that were asked for, and no others', async () => {
    const { points } = await tune({ batchSizes: [3, 5] }).tuning;
    const sizes = points.flatMap(({ setting: { batching } }) =>
      typeof batching === 'object' ? batching.maxBatchSize : [],
    );
    expect(new Set(sizes)).toEqual(new Set([3, 5]));
  });

  it('tries no batches of more rows than a request may have', async () => {
    const { points } = await tune({ mostRows: 6 }).tuning;
    const sizes = points.flatMap(({ setting: { batching } }) =>
      typeof batching === 'object' ? batching.maxBatchSize : [],
    );
    expect([...new Set(sizes)]).toEqual([2, 4, 6]);
  });

  it('tries the one size of a model whose batches are filled up, with and without a window', async () => {
    const { points, chosen } = await tune({}, { paddedRows: 8, runMs: () => 40 }).tuning;
    expect(points.every(({ setting: { batching } }) => rowsOf(batching) === 8)).toBe(true);
    const windows = points.map(
      ({ setting: { batching } }) => typeof batching === 'object' && batching.maxDelayMs,
    );
    expect(new Set(windows)).toEqual(new Set([0, 20, 40]));
    expect(chosen).toBeDefined();
  });

  it('tries options of sessions on what it would choose, and takes one that is clearly better', async () => {
    const session = { memoryArena: true };
    const quickerBy = (share: number) =>
      tune(
        { variants: [session], budgetNs: 400e9 },
        { runMs: (plan, rows) => (40 + rows) * (plan.session === undefined ? 1 : 1 - share) },
      ).tuning;
    expect((await quickerBy(0.2)).chosen?.setting.plan.session).toBe(session);
    const alike = await quickerBy(0);
    expect(alike.chosen?.setting.plan.session).toBeUndefined();
    expect(alike.points.some(({ setting }) => setting.plan.session === session)).toBe(true);
  });

  it('goes without plans that cannot be loaded, unless none can', async () => {
    const { chosen, leftOut } = await tune({}, { refuse: ({ instances }) => instances === 2 }).tuning;
    expect(chosen?.setting.plan).toBe(deep);
    expect(leftOut).toEqual([{ plan: wide, reason: 'no more memory' }]);
    await expect(tune({}, { refuse: () => true }).tuning).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
  });

  it('ends in its time, and says for what there was none', async () => {
    const { chosen, leftOut, points, isCut } = await tune({ budgetNs: 100e6 }).tuning;
    expect(points.every(({ setting }) => setting.plan === wide)).toBe(true);
    expect(chosen?.setting.plan).toBe(wide);
    expect(isCut).toBe(true);
    expect(leftOut).toEqual([{ plan: deep, reason: 'the time for the search was over' }]);
    const shared = await tune({ budgetNs: 4e9 }).tuning;
    expect(shared.points.some(({ setting }) => setting.plan === deep)).toBe(true);
    expect(shared.leftOut).toEqual([]);
  });
});
