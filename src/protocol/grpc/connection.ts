import { constants, type ServerHttp2Session } from 'node:http2';
import type { Clock } from '../../base/util/clock.ts';
import type { GrpcOptions } from './deps.ts';

/** One HTTP/2 connection, with what keeps it honest and finds out when nobody is at its other end. */
export interface Connection {
  readonly session: ServerHttp2Session;
  /** Called now and then: cuts the connection of a client that never began to speak, or does not answer any more. */
  look(): void;
  /** The client took or sent something: pings before that were its right. */
  noteTraffic(): void;
  /** Asks the client whether it is there, now. */
  probe(): void;
  /** Tells the client to open no more calls here; those it has opened go on. */
  turnAway(): void;
}

/** Triton's `grpc-http2-max-ping-strikes`. */
const MAX_PING_STRIKES = 2;

/** In all, and so shared by the calls of a connection: large requests arrive without a halt for each 64 KiB. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Every stream that a client may still open has a number below this. */
const ANY_STREAM = 2 ** 31 - 1;

/** @param isSending whether an answer is on its way: clients then measure the line with pings, as they may */
export function createConnection(
  session: ServerHttp2Session,
  { clock, options }: { readonly clock: Clock; readonly options: GrpcOptions },
  isSending: () => boolean,
): Connection {
  const openedAtNs = clock.nowNs();
  let hasGreeted = false;
  let heardAtNs = openedAtNs;
  let probedAtNs: number | undefined;
  let pingedAtNs = Number.NEGATIVE_INFINITY;
  let strikes = 0;

  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  session.on('remoteSettings', () => {
    hasGreeted = true;
  });
  session.on('ping', () => {
    const nowNs = clock.nowNs();
    heardAtNs = nowNs;
    if (isSending()) return;
    if (nowNs - pingedAtNs < options.minPingIntervalMs * 1e6) strikes += 1;
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

  return {
    session,
    probe,
    look() {
      const nowNs = clock.nowNs();
      const hasLapsed =
        probedAtNs !== undefined
          ? nowNs - probedAtNs >= options.keepAliveTimeoutMs * 1e6
          : !hasGreeted && nowNs - openedAtNs >= options.receiveTimeoutMs * 1e6;
      if (hasLapsed) session.destroy();
      else if (nowNs - heardAtNs >= options.keepAliveMs * 1e6) probe();
    },
    noteTraffic() {
      heardAtNs = clock.nowNs();
      pingedAtNs = Number.NEGATIVE_INFINITY;
      strikes = 0;
    },
    turnAway() {
      if (!session.destroyed && !session.closed) session.goaway(constants.NGHTTP2_NO_ERROR, ANY_STREAM);
    },
  };
}
