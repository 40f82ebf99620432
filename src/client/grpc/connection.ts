import { type ClientHttp2Session, connect } from 'node:http2';
import type { Clock } from '../../base/util/clock.ts';
import type { ClientTls } from '../contract.ts';
import { toSecureOptions } from '../secure-options.ts';

/** One server's HTTP/2 connection, opened when it is first needed, and anew after it has ended. */
export interface Connection {
  /** The session to send on. It keeps the process alive until as many `leave` as `enter` were called. */
  enter(): ClientHttp2Session;
  leave(session: ClientHttp2Session): void;
  /** Asks the other end whether it is there. Where no answer comes, the session ends, and the next call opens another. */
  probe(session: ClientHttp2Session): void;
  /** Lets running calls finish. */
  close(): Promise<void>;
}

/** As much of one answer may be on its way before the server waits for us to have read it; all answers together. */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Node's own limit counts what waits to be sent, of which the calls' own time bounds how long. */
const SESSION_MEMORY_MIB = 1024;

const PROBE_MS = 5000;

/** @param origin `http://host:port`, or `https:` for TLS */
export function createConnection(origin: string, clock: Clock, tls: ClientTls | undefined): Connection {
  const secure = toSecureOptions(tls);
  let current: ClientHttp2Session | undefined;
  const callsOn = new WeakMap<ClientHttp2Session, number>();
  const probed = new WeakSet<ClientHttp2Session>();

  function open(): ClientHttp2Session {
    const session = connect(origin, {
      ...secure,
      maxSessionMemory: SESSION_MEMORY_MIB,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
    });
    // What fails is told to the calls on it; without a listener it would end the process.
    session.on('error', () => {});
    session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES));
    return session;
  }

  return {
    enter() {
      // One that the server has told to end is closed, though calls may still run on it.
      if (current === undefined || current.closed || current.destroyed) current = open();
      const calls = callsOn.get(current) ?? 0;
      if (calls === 0) current.ref();
      callsOn.set(current, calls + 1);
      return current;
    },
    leave(session) {
      const calls = (callsOn.get(session) ?? 1) - 1;
      callsOn.set(session, calls);
      if (calls === 0 && !session.destroyed) session.unref();
    },
    probe(session) {
      if (session.destroyed || session.connecting || probed.has(session)) return;
      probed.add(session);
      const timer = clock.setTimer(() => session.destroy(), PROBE_MS);
      session.ping(() => {
        timer.cancel();
        probed.delete(session);
      });
    },
    close() {
      const session = current;
      if (session === undefined || session.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        // Whoever waits for the end is to see it.
        session.ref();
        session.once('close', resolve);
        session.close();
      });
    },
  };
}
