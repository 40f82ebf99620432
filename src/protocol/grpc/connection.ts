import { constants, type ServerHttp2Session } from 'node:http2';
import type { Clock } from '../../base/util/clock.ts';
import type { GrpcOptions } from './deps.ts';

/** One HTTP/2 connection, with what keeps it honest and finds out when nobody is at its other end. */
export interface Connection {
  readonly session: ServerHttp2Session;
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

/** In all, and so shared by the calls of a connection: large requests arrive without a halt for each 64 KiB. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Every stream that a client may still open has a number below this. */
const ANY_STREAM = 2 ** 31 - 1;

/** Whoever connects wants to call: its first call gets this much time to come. */
const MOMENT_NS = 1e9;

/** By so much ages differ (gRFC A9), so that connections that came together do not leave together. */
const AGE_JITTER = 0.1;

/** @param isSending whether an answer is on its way: clients then measure the line with pings, as they may */
export function createConnection(
  session: ServerHttp2Session,
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

  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  session.on('remoteSettings', () => {
    hasGreeted = true;
  });
  session.on('ping', () => {
    const nowNs = clock.nowNs();
    heardAtNs = nowNs;
    if (isSending()) return;
    const mayPing = openCalls > 0 || options.keepalivePermitWithoutCalls;
    const minIntervalMs = mayPing ? options.minRecvPingIntervalMs : MIN_PING_INTERVAL_WITHOUT_CALLS_MS;
    if (nowNs - pingedAtNs < minIntervalMs * 1e6) strikes += 1;
    pingedAtNs = nowNs;
    if (strikes <= MAX_PING_STRIKES || session.destroyed) return;
    // The words by which clients know that they are to ping less often (gRFC A8).
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
    session.destroy();
  });

  function probe(): void {
    if (session.destroyed || probedAtNs !== undefined) return;
    probedAtNs = clock.nowNs();
    session.ping((failed) => {
      if (failed !== null) return;
      probedAtNs = undefined;
      heardAtNs = clock.nowNs();
    });
  }

  function turnAway(): void {
    if (!session.destroyed && !session.closed) session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
  }

  /**
   * Calls that the client opens before it knows still get in: what was sent before a ping's answer has come by then
   * (RFC 9113, 6.8). Those that come later are refused as not begun, which clients make good by themselves. Clients
   * without calls may not answer any more (Node's do not): these are left at the next look.
   */
  function leave(nowNs: number): void {
    leavingSinceNs = nowNs;
    turnAway();
    session.ping(close);
  }

  function close(): void {
    if (!session.destroyed) session.close();
  }

  function hasLapsed(nowNs: number): boolean {
    if (probedAtNs !== undefined) return nowNs - probedAtNs >= options.keepaliveTimeoutMs * 1e6;
    return !hasGreeted && nowNs - openedAtNs >= options.receiveTimeoutMs * 1e6;
  }

  function isOverdue(nowNs: number): boolean {
    if (leavingSinceNs === undefined) return false;
    // Who does not answer to the farewell is not there any more.
    const isSilent = !session.closed && nowNs - leavingSinceNs >= options.keepaliveTimeoutMs * 1e6;
    return isSilent || nowNs - leavingSinceNs >= ageGraceNs;
  }

  function isDue(nowNs: number): boolean {
    if (leavingSinceNs !== undefined || session.closed) return false;
    const isIdle = openCalls === 0 && nowNs - quietSinceNs >= idleLimitNs;
    return isIdle || nowNs - openedAtNs >= ageLimitNs;
  }

  return {
    session,
    probe,
    look() {
      if (session.destroyed) return;
      const nowNs = clock.nowNs();
      if (hasLapsed(nowNs) || isOverdue(nowNs)) session.destroy();
      else if (isDue(nowNs)) leave(nowNs);
      else if (leavingSinceNs !== undefined && openCalls === 0) close();
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
      if (openCalls === 0 && clock.nowNs() - quietSinceNs >= MOMENT_NS) close();
    },
  };
}

function toNs(limitMs: number | undefined): number {
  return limitMs === undefined ? Number.POSITIVE_INFINITY : limitMs * 1e6;
}
