import type { Clock } from '../../base/util/clock.ts';
import type { GrpcOptions } from './deps.ts';
import { ERROR } from './http2/constants.ts';
import type { Session } from './http2/session.ts';

/** One HTTP/2 connection, with what keeps it honest and finds out when nobody is at its other end. */
export interface Connection {
  readonly session: Session;
  /** The client speaks HTTP/2. */
  greeted(): void;
  /** The client asks whether we are there. */
  pinged(): void;
  /**
   * Called now and then: ends the connection of a client that never began to speak, does not answer any more, has
   * nothing to say, or has been here for long.
   */
  look(): void;
  /** The client took or sent something: pings before that were its right. */
  noteTraffic(): void;
  callOpened(): void;
  callClosed(): void;
  /** Asks the client whether it is there, now. */
  probe(): void;
  /** Tells the client to open no more calls here; those it has opened go on. */
  turnAway(): void;
  /** Ends it where no call is open, and none has been for a moment. */
  closeIfIdle(): void;
}

/** Triton's `grpc-http2-max-ping-strikes`. */
const MAX_PING_STRIKES = 2;

/** How often clients may ping that have no call open, where that is not permitted (gRFC A8). */
const MIN_PING_INTERVAL_WITHOUT_CALLS_MS = 2 * 3600e3;

/** Whoever connects wants to call: its first call gets this much time to come. */
const MOMENT_NS = 1e9;

/** By so much ages differ (gRFC A9), so that connections that came together do not leave together. */
const AGE_JITTER = 0.1;

/** @param isSending whether an answer is on its way: clients then measure the line with pings, as they may */
export function createConnection(
  session: Session,
  { clock, options }: { readonly clock: Clock; readonly options: GrpcOptions },
  isSending: () => boolean,
): Connection {
  const openedAtNs = clock.nowNs();
  const { maxConnectionIdleMs, maxConnectionAgeMs, maxConnectionAgeGraceMs } = options;
  const idleLimitNs = toNs(maxConnectionIdleMs);
  const ageLimitNs = toNs(maxConnectionAgeMs) * (1 + AGE_JITTER * (2 * clock.random() - 1));
  const ageGraceNs = toNs(maxConnectionAgeGraceMs);
  let hasGreeted = false;
  let heardAtNs = openedAtNs;
  let probedAtNs: number | undefined;
  let pingedAtNs = Number.NEGATIVE_INFINITY;
  let strikes = 0;
  let openCalls = 0;
  let quietSinceNs = openedAtNs;
  let leavingSinceNs: number | undefined;
  let takenBytes = 0;
  let stuckSinceNs: number | undefined;

  function pinged(): void {
    const nowNs = clock.nowNs();
    heardAtNs = nowNs;
    if (isSending()) return;
    const mayPing = openCalls > 0 || options.keepalivePermitWithoutCalls;
    const minIntervalMs = mayPing ? options.minRecvPingIntervalMs : MIN_PING_INTERVAL_WITHOUT_CALLS_MS;
    if (nowNs - pingedAtNs < minIntervalMs * 1e6) strikes += 1;
    pingedAtNs = nowNs;
    // The words by which clients know that they are to ping less often (gRFC A8).
    if (strikes > MAX_PING_STRIKES) session.destroy(ERROR.ENHANCE_YOUR_CALM, 'too_many_pings');
  }

  function probe(): void {
    if (session.isOver || probedAtNs !== undefined) return;
    probedAtNs = clock.nowNs();
    session.ping(() => {
      probedAtNs = undefined;
      heardAtNs = clock.nowNs();
    });
  }

  function turnAway(): void {
    if (!session.isClosing) session.goAway(ERROR.NO_ERROR);
  }

  /**
   * Calls that the client opens before it knows still get in: what was sent before a ping's answer has come by then
   * (RFC 9113, 6.8). Those that come later are refused as not begun, which clients make good by themselves. Clients
   * without calls may not answer any more (Node's do not): these are left at the next look.
   */
  function leave(nowNs: number): void {
    leavingSinceNs = nowNs;
    turnAway();
    session.ping(() => session.close());
  }

  /** The client has long taken nothing of what was written to it. */
  function isStuck(nowNs: number): boolean {
    const hasTaken = session.takenBytes !== takenBytes;
    takenBytes = session.takenBytes;
    if (session.backlogBytes === 0) stuckSinceNs = undefined;
    else if (hasTaken || stuckSinceNs === undefined) stuckSinceNs = nowNs;
    return stuckSinceNs !== undefined && nowNs - stuckSinceNs >= options.sendTimeoutMs * 1e6;
  }

  function hasLapsed(nowNs: number): boolean {
    if (probedAtNs !== undefined) return nowNs - probedAtNs >= options.keepaliveTimeoutMs * 1e6;
    return !hasGreeted && nowNs - openedAtNs >= options.receiveTimeoutMs * 1e6;
  }

  function isOverdue(nowNs: number): boolean {
    if (leavingSinceNs === undefined) return false;
    // Who does not answer to the farewell is not there any more.
    const isSilent = !session.isClosing && nowNs - leavingSinceNs >= options.keepaliveTimeoutMs * 1e6;
    return isSilent || nowNs - leavingSinceNs >= ageGraceNs;
  }

  function isDue(nowNs: number): boolean {
    if (leavingSinceNs !== undefined || session.isClosing) return false;
    const isIdle = openCalls === 0 && nowNs - quietSinceNs >= idleLimitNs;
    return isIdle || nowNs - openedAtNs >= ageLimitNs;
  }

  return {
    session,
    greeted() {
      hasGreeted = true;
    },
    pinged,
    probe,
    look() {
      const nowNs = clock.nowNs();
      if (session.isOver) {
        if (isOverdue(nowNs) || isStuck(nowNs)) session.destroy();
      } else if (hasLapsed(nowNs) || isOverdue(nowNs) || isStuck(nowNs)) session.destroy();
      else if (isDue(nowNs)) leave(nowNs);
      else if (leavingSinceNs !== undefined && openCalls === 0) session.close();
      else if (nowNs - heardAtNs >= options.keepaliveTimeMs * 1e6) probe();
    },
    noteTraffic() {
      heardAtNs = clock.nowNs();
      pingedAtNs = Number.NEGATIVE_INFINITY;
      strikes = 0;
    },
    callOpened() {
      openCalls += 1;
    },
    callClosed() {
      openCalls -= 1;
      if (openCalls === 0) quietSinceNs = clock.nowNs();
    },
    turnAway,
    closeIfIdle() {
      if (openCalls === 0 && clock.nowNs() - quietSinceNs >= MOMENT_NS) session.close();
    },
  };
}

function toNs(limitMs: number | undefined): number {
  return limitMs === undefined ? Number.POSITIVE_INFINITY : limitMs * 1e6;
}
