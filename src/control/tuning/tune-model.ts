import type { Target } from '../../base/config/options.ts';
import type { Clock } from '../../base/util/clock.ts';
import { chooseSetting, frontierOf, type RatedSetting, rateSettings } from './choose.ts';
import type { Point, SessionChoice } from './contract.ts';
import { isWithin, type SearchInput, type SearchResult, search, tryOn } from './search.ts';
import { verify } from './verify.ts';

export interface TuneModelInput extends SearchInput {
  readonly target: Target;
  /** Options of sessions to try on what the search would choose; they hardly depend on the rest. Default: none. */
  readonly variants?: readonly SessionChoice[];
}

export interface Tuning extends SearchResult {
  /** Of all points, from the fastest answers to the most. */
  readonly frontier: readonly Point[];
  /** Undefined: no setting keeps to the limit. */
  readonly chosen: RatedSetting | undefined;
  /** The chosen setting under requests that come by chance, at falling rates until one keeps to the limit. */
  readonly verified: readonly Point[];
  /** What comes closest where none keeps to the limit: the fastest answers of all. */
  readonly closest: Point | undefined;
}

/** Of the time of the search, how much one rate of the last check gets. */
const CHECK_SHARE = 1 / 20;
const SHORTEST_CHECK_NS = 200e6;
const LONGEST_CHECK_NS = 5e9;
/** Settings that are checked, the best first, until one keeps to the limit. */
const MOST_CHECKED = 3;

/** Searches, chooses, and checks what it chose. @throws as `search` */
export async function tuneModel(
  input: TuneModelInput,
  { clock }: { readonly clock: Clock },
): Promise<Tuning> {
  const { limitMs, percentile, subject, onStep = () => {} } = input;
  const found = await search(input, { clock });
  const result = { ...found, points: [...found.points, ...(await tryVariants(input, found, clock))] };
  const frontier = frontierOf(result.points);
  const durationNs = Math.min(LONGEST_CHECK_NS, Math.max(SHORTEST_CHECK_NS, input.budgetNs * CHECK_SHARE));
  let rated = rateSettings(result.points, limitMs);
  let verified: readonly Point[] = [];
  for (let checked = 0; checked < MOST_CHECKED; checked++) {
    const chosen = chooseSetting(rated, input.target);
    if (chosen === undefined) break;
    onStep('check of the choice');
    verified = await verify({ subject, chosen, limitMs, percentile, durationNs, clock });
    if (verified.some((point) => isWithin(point, limitMs))) {
      return { ...result, frontier, chosen, verified, closest: frontier[0] };
    }
    rated = rated.filter((other) => other !== chosen);
  }
  return { ...result, frontier, chosen: undefined, verified, closest: frontier[0] };
}

/** Of the time of the search, how much each variant gets on top. */
const VARIANT_SHARE = 1 / 20;

async function tryVariants(
  input: TuneModelInput,
  { points }: SearchResult,
  clock: Clock,
): Promise<readonly Point[]> {
  const { limitMs, target, variants = [] } = input;
  const chosen = chooseSetting(rateSettings(points, limitMs), target);
  if (chosen === undefined) return [];
  const { plan, batching } = chosen.setting;
  const plans = variants.map((session) => ({ ...plan, session }));
  return tryOn(plans, batching, { ...input, budgetNs: input.budgetNs * VARIANT_SHARE }, { clock });
}
