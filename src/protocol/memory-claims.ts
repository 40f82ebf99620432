import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { Clock } from '../base/util/clock.ts';
import { tooSlow, type Where } from './memory-refusals.ts';

/** A part of the room. It is released once, whatever becomes of the request. */
export interface MemoryClaim {
  /** So many of the bytes have come. */
  arrived(bytes: number): void;
  /** All has come that is to come: nobody else gets its room any more. */
  complete(): void;
  /**
   * So many more are to come than were claimed.
   * @throws NimifyError as `MemoryRoom.claim`; the claim stays as it was
   */
  grow(bytes: number): void;
  release(): void;
}

/** Bodies and answers below this are not counted: they pass through memory that is there already. */
export const SMALLEST_CLAIM_BYTES = 16 * 1024;

export interface ClaimOptions {
  /** Default `body`. */
  readonly where?: Where;
  /**
   * Called where the body comes so slowly that others get its room: it is to be let go, and answered with the error.
   * Default: it keeps its room.
   */
  readonly onRevoke?: (error: NimifyError) => void;
}

/** What all claims come to, in bytes. */
export interface MemoryClaims {
  /** What is there. */
  readonly liveBytes: number;
  /** What is still to come, with what is made of it. */
  readonly promisedBytes: number;
  /** Of bodies, whole. */
  readonly bodyBytes: number;
  /** The most that was there and promised at once. */
  readonly mostBytes: number;
  readonly isAtRest: boolean;
  forgetMost(): void;
  /** @param promisedBytes what is to come of `bodyBytes`, and to be made of it */
  open(opened: OpenedClaim, options?: ClaimOptions): MemoryClaim;
  /** Takes the room of bodies that come too slowly, the slowest first, until so much was promised to them. */
  revokeSlow(bytes: number, retryAfterMs: number): void;
}

interface OpenedClaim {
  readonly bodyBytes: number;
  readonly liveBytes: number;
  readonly promisedBytes: number;
  readonly onRelease?: (heldNs: number) => void;
}

export interface ClaimsOptions {
  readonly clock: Clock;
  /** What is promised for so many more bytes of a body. @throws NimifyError where there is no room for it */
  readonly promise: (bytes: number, where?: Where) => number;
  /** So much has come. */
  readonly onGrew: (bytes: number) => void;
  /** A body came too slowly, and others get its room. Gives the error back. */
  readonly refuse: (error: NimifyError) => NimifyError;
  /** The first was opened, or the last is gone. */
  readonly onTurn: (isAtRest: boolean) => void;
}

/** A body that comes at this pace is waited for, even where others are refused for it. */
const WHOLE_IN_NS = 10e9;
const FIRST_WAIT_NS = 1e9;

/** A body of which something is still to come. */
interface Coming {
  /** How long ago it should have come as far as it has. */
  lateNs(nowNs: number): number;
  readonly promisedBytes: number;
  revoke(retryAfterMs: number): void;
}

export function createMemoryClaims({ clock, promise, onGrew, refuse, onTurn }: ClaimsOptions): MemoryClaims {
  let liveBytes = 0;
  let promisedBytes = 0;
  let bodyBytes = 0;
  let mostBytes = 0;
  const coming = new Set<Coming>();

  function count(live: number, promised: number): void {
    liveBytes += live;
    promisedBytes += promised;
    mostBytes = Math.max(mostBytes, liveBytes + promisedBytes);
  }

  function isAtRest(): boolean {
    return liveBytes === 0 && promisedBytes === 0;
  }

  function open(opened: OpenedClaim, { where, onRevoke }: ClaimOptions = {}): MemoryClaim {
    let { bodyBytes: body, liveBytes: live, promisedBytes: promised } = opened;
    const wasAtRest = isAtRest();
    const sinceNs = clock.nowNs();
    let arrivedBytes = 0;
    let isRevoked = false;
    let isReleased = false;
    bodyBytes += body;
    count(live, promised);
    onGrew(live);
    if (wasAtRest) onTurn(false);

    const waiting: Coming | undefined = onRevoke && {
      lateNs: (nowNs) => nowNs - sinceNs - FIRST_WAIT_NS - (arrivedBytes / body) * WHOLE_IN_NS,
      get promisedBytes() {
        return promised;
      },
      revoke(retryAfterMs) {
        complete();
        isRevoked = true;
        count(0, -promised);
        promised = 0;
        onRevoke(refuse(tooSlow(arrivedBytes, body, where ?? 'body', retryAfterMs)));
      },
    };
    if (waiting !== undefined) coming.add(waiting);

    function complete(): void {
      if (waiting !== undefined) coming.delete(waiting);
    }

    return {
      complete,
      arrived(bytes) {
        if (isReleased || isRevoked) return;
        arrivedBytes += bytes;
        live += bytes;
        promised -= bytes;
        count(bytes, -bytes);
        onGrew(bytes);
      },
      grow(bytes) {
        const more = promise(bytes, where);
        if (isReleased) return;
        body += bytes;
        bodyBytes += bytes;
        promised += more;
        count(0, more);
      },
      release() {
        if (isReleased) return;
        isReleased = true;
        complete();
        bodyBytes -= body;
        count(-live, -promised);
        opened.onRelease?.(clock.nowNs() - sinceNs);
        if (isAtRest()) onTurn(true);
      },
    };
  }

  return {
    get liveBytes() {
      return liveBytes;
    },
    get promisedBytes() {
      return promisedBytes;
    },
    get bodyBytes() {
      return bodyBytes;
    },
    get mostBytes() {
      return mostBytes;
    },
    get isAtRest() {
      return isAtRest();
    },
    forgetMost() {
      mostBytes = 0;
    },
    open,
    revokeSlow(bytes, retryAfterMs) {
      if (coming.size === 0) return;
      const nowNs = clock.nowNs();
      const late = [...coming]
        .map((one) => ({ one, lateNs: one.lateNs(nowNs) }))
        .filter(({ lateNs }) => lateNs > 0)
        .sort((a, b) => b.lateNs - a.lateNs);
      // Where all of them together are not enough, nobody would gain by it.
      let lackedBytes = bytes;
      const given = late.filter(({ one }) => {
        const isNeeded = lackedBytes > 0;
        if (isNeeded) lackedBytes -= one.promisedBytes;
        return isNeeded;
      });
      if (lackedBytes <= 0) for (const { one } of given) one.revoke(retryAfterMs);
    },
  };
}
