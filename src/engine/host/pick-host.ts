import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { HostKind } from '../../model/engine.ts';
import type { HostSession } from './session.ts';

/**
 * Runs below this stay on the main thread. A hop to a thread and back takes 130-160 µs when idle (measured: two
 * wake-ups), so a run of 100 µs gains nothing by it, and blocks the event loop for less than one hop would cost.
 */
export const INLINE_BELOW_NS = 100_000;

const HOP_TEXT = 'a hop to a thread about 130 µs';

export interface HostChoice {
  readonly host: HostKind;
  readonly reason: string;
  /** Median of the measured runs; undefined where none could be measured. */
  readonly medianNs: number | undefined;
}

/** Picks the host from the time of runs on the main thread. `inputs` undefined: no example is known. */
export async function pickHost(
  session: HostSession,
  inputs: readonly Tensor[] | undefined,
  outputs: readonly string[],
): Promise<HostChoice> {
  if (inputs === undefined) {
    const reason = 'thread: no example request is known, so the time of a run is not';
    return { host: 'thread', reason, medianNs: undefined };
  }
  const medianNs = await measure(session, inputs, outputs);
  const host = medianNs < INLINE_BELOW_NS ? 'inline' : 'thread';
  return { host, reason: `${host}: a run takes ${timeText(medianNs)}, ${HOP_TEXT}`, medianNs };
}

const WARM_UPS = 3;
const RUNS = 9;
/** A warm-up this slow settles it: no median would come out below the limit. The first run pays for set-up. */
const CLEARLY_SLOW_NS = 10_000_000;
const CLEARLY_SLOW_FIRST_NS = 200_000_000;

async function measure(
  session: HostSession,
  inputs: readonly Tensor[],
  outputs: readonly string[],
): Promise<number> {
  const timed = async () => (await session.run({ inputs, outputs, owner: BORROWED })).computeNs;
  for (let run = 0; run < WARM_UPS; run++) {
    const ns = await timed();
    if (ns > (run === 0 ? CLEARLY_SLOW_FIRST_NS : CLEARLY_SLOW_NS)) return ns;
  }
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) times.push(await timed());
  return times.sort((a, b) => a - b)[RUNS >> 1]!;
}

export function timeText(ns: number): string {
  if (ns < 1e6) return `${Math.max(1, Math.round(ns / 1e3))} µs`;
  return ns < 1e9 ? `${(ns / 1e6).toPrecision(3)} ms` : `${(ns / 1e9).toPrecision(3)} s`;
}
