import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Batching, OpenedPlan, Plan, Point, Setting, Subject } from './contract.ts';
import { observe } from './observe.ts';
import { planText, powersUpTo, rowsOf } from './plans.ts';

export interface SearchInput {
  readonly subject: Subject;
  readonly plans: readonly Plan[];
  /** Sizes of batches to try. Default: 1, 2, 4, ... while they gain. */
  readonly batchSizes?: readonly number[];
  /** Most rows that a request may have, and so a batch. Default: any. */
  readonly mostRows?: number;
  /** Answers that take longer are of no use; Infinity where nobody said. */
  readonly limitMs: number;
  /** Percentile that is to keep to the limit. */
  readonly percentile: number;
  /** Time for the whole search. What it has no time for, it leaves out. */
  readonly budgetNs: number;
  /** Told of what begins. */
  readonly onStep?: (text: string) => void;
}

export interface SearchResult {
  readonly points: readonly Point[];
  /** Why rows of requests cannot be joined; undefined: they can. */
  readonly unbatchable: string | undefined;
  /** Was the time over before every setting had been tried? */
  readonly isCut: boolean;
  /** Plans that could not be loaded, or for which there was no time, each with the reason. */
  readonly leftOut: readonly { readonly plan: Plan; readonly reason: string }[];
}

/** Batches beyond are hardly ever filled. */
const MOST_ROWS = 256;
/** Twice the rows are worth it where they give this much more; and where two doublings do not, no further will. */
const LEAST_GAIN = 1.02;
const DOUBLINGS_WITHOUT_GAIN = 2;
/** Windows to try, in shares of the time that one request takes alone. */
const WINDOWS: readonly number[] = [0.5, 1];
/** More clients than that say nothing new. */
const MOST_CLIENTS = 512;
/** Measurements that the time is divided between, for each plan: some ten settings under some four loads. */
const POINTS_OF_A_PLAN = 40;
const POINTS_OF_A_SETTING = 5;
const SHORTEST_NS = 50e6;
const LONGEST_NS = 1e9;

/**
 * Tries plans, sizes of batches and windows under loads that rise until no more is gained. Each plan is loaded once;
 * on it every size is tried without a window, then windows on the size that gave most.
 * @throws NimifyError where no plan can be loaded; UNSUPPORTED where sizes of batches are asked for that cannot be
 */
export async function search(
  input: SearchInput,
  { clock }: { readonly clock: Clock },
): Promise<SearchResult> {
  const { subject, plans, onStep = () => {} } = input;
  const untilNs = clock.nowNs() + input.budgetNs;
  const points: Point[] = [];
  const leftOut: { plan: Plan; reason: string }[] = [];
  let unbatchable: string | undefined;
  let isCut = false;
  let failure: unknown;
  const onCut = () => {
    isCut = true;
  };
  for (const [at, plan] of plans.entries()) {
    if (points.length > 0 && clock.nowNs() >= untilNs) {
      leftOut.push({ plan, reason: 'the time for the search was over' });
      continue;
    }
    onStep(planText(plan));
    const opened = await subject.open(plan).catch((thrown: unknown) => {
      failure = thrown;
      leftOut.push({ plan, reason: toNimifyError(thrown).message });
    });
    if (opened === undefined) continue;
    try {
      if (!opened.batchAxis.isBatchable) {
        unbatchable = opened.batchAxis.reason;
        if (input.batchSizes?.some((rows) => rows > 1)) throw cannotBatch(unbatchable);
      }
      const pointNs = Math.min(LONGEST_NS, input.budgetNs / plans.length / POINTS_OF_A_PLAN);
      // An equal share of what is left for each plan: none is left out for another that has many sizes to try.
      const share = (untilNs - clock.nowNs()) / (plans.length - at);
      const trial: Trial = { ...input, clock, plan, opened, points, untilNs: clock.nowNs() + share, onCut };
      await tryPlan({ ...trial, durationNs: Math.max(SHORTEST_NS, pointNs) });
    } finally {
      await opened.close();
    }
  }
  if (points.length === 0) throw failure;
  return { points, unbatchable, isCut, leftOut };
}

/**
 * Tries one batching on other plans.
 * @returns what was found; a plan that cannot be loaded adds nothing
 */
export async function tryOn(
  plans: readonly Plan[],
  batching: Batching,
  input: Omit<SearchInput, 'plans'>,
  { clock }: { readonly clock: Clock },
): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (const plan of plans) {
    input.onStep?.(planText(plan));
    const opened = await input.subject.open(plan).catch(() => undefined);
    if (opened === undefined) continue;
    try {
      const untilNs = clock.nowNs() + input.budgetNs;
      const durationNs = Math.min(LONGEST_NS, Math.max(SHORTEST_NS, input.budgetNs / POINTS_OF_A_SETTING));
      await trySetting({ ...input, clock, plan, opened, points, untilNs, durationNs }, batching);
    } finally {
      await opened.close();
    }
  }
  return points;
}

interface Trial extends Omit<SearchInput, 'subject' | 'plans'> {
  readonly clock: Clock;
  readonly plan: Plan;
  readonly opened: OpenedPlan;
  /** What was found so far. */
  readonly points: Point[];
  readonly untilNs: number;
  readonly durationNs?: number;
  /** Told where time is over before all is tried. */
  readonly onCut?: () => void;
}

async function tryPlan(trial: Trial): Promise<void> {
  const { opened } = trial;
  const { paddedRows } = opened;
  if (paddedRows !== undefined) {
    // A smaller batch takes as long; and without its size being named, the model takes whole batches alone.
    const full = await trySetting(trial, { maxBatchSize: paddedRows, maxDelayMs: 0 });
    return tryWindows(trial, paddedRows, full);
  }
  const alone = await trySetting(trial, 'off');
  if (!opened.batchAxis.isBatchable) return;
  let best = { rows: 1, perSecond: most(trial, alone) };
  let withoutGain = 0;
  for (const rows of trial.batchSizes ?? powersUpTo(Math.min(MOST_ROWS, trial.mostRows ?? MOST_ROWS))) {
    if (rows === 1) continue;
    const perSecond = most(trial, await trySetting(trial, { maxBatchSize: rows, maxDelayMs: 0 }));
    withoutGain = perSecond < best.perSecond * LEAST_GAIN ? withoutGain + 1 : 0;
    if (perSecond > best.perSecond) best = { rows, perSecond };
    if (trial.batchSizes === undefined && withoutGain === DOUBLINGS_WITHOUT_GAIN) break;
  }
  await trySetting(trial, 'auto', best.rows);
  if (best.rows > 1) await tryWindows(trial, best.rows, alone);
}

/** @param alone what was found under rising loads, from one client on, without a window */
async function tryWindows(trial: Trial, maxBatchSize: number, alone: readonly Point[]): Promise<void> {
  const aloneMs = alone[0]?.latencyMs.p50 ?? 0;
  for (const share of WINDOWS) {
    const maxDelayMs = roundedMs(aloneMs * share);
    // A window that the objective has no room for is not worth the time.
    if (aloneMs + maxDelayMs > trial.limitMs) continue;
    await trySetting(trial, { maxBatchSize, maxDelayMs });
  }
}

/** A number that one would write: two digits. */
function roundedMs(ms: number): number {
  return Number(ms.toPrecision(2));
}

/** The most that these points give within the limit. */
function most({ limitMs }: Pick<Trial, 'limitMs'>, points: readonly Point[]): number {
  return Math.max(0, ...points.map((point) => (isWithin(point, limitMs) ? point.throughputPerS : 0)));
}

/** Share of the requests that may be refused at a load that a setting is said to bear. */
const REFUSED_SHARE = 0.01;

/** Does a setting bear this load? */
export function isWithin({ latencyMs, refused, answers }: Point, limitMs: number): boolean {
  return latencyMs.asked <= limitMs && refused <= REFUSED_SHARE * (answers + refused);
}

/** One batching under loads that rise: one client, as many as run at once, half of a batch in each slot, all, and twice that. */
async function trySetting(
  trial: Trial,
  batching: Batching,
  rows = rowsOf(batching),
): Promise<readonly Point[]> {
  const { opened, plan, clock, untilNs, limitMs } = trial;
  const full = opened.slots * rows;
  const loads = [1, opened.slots, Math.ceil(full / 2), full, 2 * full].map((clients) =>
    Math.min(MOST_CLIENTS, clients),
  );
  const setting: Setting = { plan, batching };
  const model = opened.batched(batching);
  const found: Point[] = [];
  for (const clients of [...new Set(loads)].sort((a, b) => a - b)) {
    // A first look at the first plan is taken in any case.
    if (clock.nowNs() >= untilNs && trial.points.length > 0) {
      trial.onCut?.();
      break;
    }
    const load = { kind: 'closed', clients } as const;
    const asking = { model, request: opened.request, load, percentile: trial.percentile, clock };
    await observe({ ...asking, durationNs: 0 }); // what is set up by the first requests is not counted
    const observed = await observe({ ...asking, durationNs: trial.durationNs ?? SHORTEST_NS });
    const point: Point = { ...observed, setting, load, memoryBytes: opened.memoryBytes };
    found.push(point);
    trial.points.push(point);
    // More clients only wait longer.
    if (!isWithin(point, 2 * limitMs)) break;
  }
  return found;
}

function cannotBatch(reason: string): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    `The model cannot be batched (${reason}), so there are no sizes to search; leave them out to tune its instances ` +
      'and threads',
    { details: { where: 'batchSizes' } },
  );
}
