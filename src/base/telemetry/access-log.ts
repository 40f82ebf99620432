import type { Clock } from '../util/clock.ts';
import type { Logger } from './log.ts';
import type { RequestOutcome } from './request-instruments.ts';

export interface AccessLogOptions {
  /** Share of the requests that leave a line, 0 to 1. */
  readonly share: number;
  /** From here on a request leaves a line whatever the share, as one that fails does. 0: neither does. */
  readonly slowMs: number;
}

export interface AccessLog {
  /** Called once for every request, when it has been answered. Allocates only where a line is written. */
  note(outcome: RequestOutcome, requestId: string): void;
}

export const NO_ACCESS_LOG: AccessLog = { note() {} };

/** Anyone can send requests that fail: their lines must not cost more than the requests, nor fill a disk. */
const MOST_A_SECOND = 50;

/** One line a request, at level `info`: which, how it ended, and how long each phase took in milliseconds. */
export function createAccessLog(
  { log, clock }: { readonly log: Logger; readonly clock: Clock },
  { share, slowMs }: AccessLogOptions,
): AccessLog {
  if (share === 0 && slowMs === 0) return NO_ACCESS_LOG;
  const slowNs = slowMs === 0 ? Number.POSITIVE_INFINITY : slowMs * 1e6;
  let secondEndsNs = 0;
  let written = 0;
  let leftOut = 0;

  function mayWrite(): boolean {
    const nowNs = clock.nowNs();
    if (nowNs >= secondEndsNs) {
      secondEndsNs = nowNs + 1e9;
      written = 0;
    }
    if (written >= MOST_A_SECOND) {
      leftOut += 1;
      return false;
    }
    written += 1;
    return true;
  }

  function write(outcome: RequestOutcome, requestId: string): void {
    const { model, version, route, code, totalNs, decodeNs, queueNs, computeNs, encodeNs } = outcome;
    log.info(
      {
        requestId,
        route,
        ...(model === '' ? {} : { model, version }),
        code,
        totalMs: toMs(totalNs),
        decodeMs: toMs(decodeNs),
        queueMs: toMs(queueNs),
        computeMs: toMs(computeNs),
        encodeMs: toMs(encodeNs),
        ...(leftOut === 0 ? {} : { leftOut }),
      },
      'request',
    );
    leftOut = 0;
  }

  return {
    note(outcome, requestId) {
      const isNotable = outcome.totalNs >= slowNs || (slowMs > 0 && outcome.code !== 'OK');
      if (isNotable ? mayWrite() : share > 0 && clock.random() < share) write(outcome, requestId);
    },
  };
}

/** Three places: microseconds. */
function toMs(ns: number): number {
  return Math.round(ns / 1e3) / 1e3;
}
