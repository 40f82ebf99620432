import { toNimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import type { InferRequest } from '../../model/request.ts';
import type { Load, Observed } from './contract.ts';

export interface ObserveInput {
  readonly model: Model;
  readonly request: InferRequest;
  readonly load: Load;
  /** Requests are sent for so long; what is under way then is waited for. */
  readonly durationNs: number;
  /** Percentile that `latencyMs.asked` is of, such as 99. */
  readonly percentile: number;
  readonly clock: Clock;
}

/**
 * Puts a load on a model, as a protocol would: asks for an answer at once, else waits for one.
 * @throws NimifyError where the model fails; that it refuses some for load is part of what is observed
 */
export async function observe(input: ObserveInput): Promise<Observed> {
  const { clock, load, percentile } = input;
  const tally: Tally = { latenciesNs: [], refused: 0 };
  const startNs = clock.nowNs();
  const untilNs = startNs + input.durationNs;
  await (load.kind === 'closed'
    ? askInTurns(input, load.clients, untilNs, tally)
    : askByChance(input, load.perSecond, untilNs, tally));
  const tookNs = Math.max(1, clock.nowNs() - startNs);
  const sorted = Float64Array.from(tally.latenciesNs).sort();
  const at = (share: number) => percentileOf(sorted, share) / 1e6;
  return {
    answers: sorted.length,
    refused: tally.refused,
    throughputPerS: (sorted.length / tookNs) * 1e9,
    latencyMs: { p50: at(50), p99: at(99), asked: at(percentile) },
  };
}

interface Tally {
  readonly latenciesNs: number[];
  refused: number;
}

type Asking = Pick<ObserveInput, 'model' | 'request' | 'clock'>;

/** Clients that send the next request when they have the answer to the last. */
async function askInTurns(asking: Asking, clients: number, untilNs: number, tally: Tally): Promise<void> {
  async function client(): Promise<void> {
    do {
      const waitMs = await ask(asking, asking.clock.nowNs(), tally);
      // Whoever is refused does as it is told; and a turn of the event loop passes between any two requests.
      await (waitMs > 0 ? sleep(asking.clock, waitMs) : new Promise((resolve) => setImmediate(resolve)));
    } while (asking.clock.nowNs() < untilNs);
  }
  await Promise.all(Array.from({ length: clients }, client));
}

/**
 * Node's timers know milliseconds and are late by up to one and a half on their own: so much is not the model's
 * fault. What is beyond is: whoever holds up the event loop makes requests wait that nobody has read yet.
 */
const TIMER_LATE_NS = 1.5e6;

/** Requests at random times (a Poisson process), whether or not the ones before have been answered. */
async function askByChance(asking: Asking, perSecond: number, untilNs: number, tally: Tally): Promise<void> {
  const { clock } = asking;
  const running = new Set<Promise<unknown>>();
  let failure: unknown;
  let dueNs = clock.nowNs() + gapNs(clock, perSecond);
  while (dueNs < untilNs && failure === undefined) {
    await sleep(clock, (dueNs - clock.nowNs()) / 1e6);
    for (const nowNs = clock.nowNs(); dueNs <= nowNs && dueNs < untilNs; dueNs += gapNs(clock, perSecond)) {
      const asked = ask(asking, Math.min(nowNs, dueNs + TIMER_LATE_NS), tally);
      running.add(asked);
      asked.then(
        () => running.delete(asked),
        (thrown) => {
          failure = thrown;
        },
      );
    }
  }
  await Promise.all(running);
}

/** Exponential; 1 - u keeps the logarithm's argument above 0. */
function gapNs(clock: Clock, perSecond: number): number {
  return (-Math.log(1 - clock.random()) / perSecond) * 1e9;
}

function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(resolve, Math.max(0, ms)));
}

/** Asks once; gives the time to stay away, 0 after an answer. */
async function ask({ model, request, clock }: Asking, sinceNs: number, tally: Tally): Promise<number> {
  const context = createContext();
  try {
    const response = model.inferNow?.(request, context) ?? (await model.infer(request, context));
    response.owner.release();
    tally.latenciesNs.push(clock.nowNs() - sinceNs);
    return 0;
  } catch (thrown) {
    const error = toNimifyError(thrown);
    if (error.code !== 'OVERLOADED' && error.code !== 'DEADLINE_EXCEEDED') throw error;
    tally.refused += 1;
    return error.retryAfterMs ?? 1;
  }
}

/** By nearest rank. Infinity where nothing was observed. */
export function percentileOf(sorted: Float64Array, percentile: number): number {
  const rank = Math.ceil((percentile / 100) * sorted.length - 1e-9);
  return sorted[Math.max(0, rank - 1)] ?? Number.POSITIVE_INFINITY;
}
