import type { Socket } from 'node:net';
import type { HttpDeps } from '../deps.ts';
import { type Connection, type ConnectionSurroundings, openConnection } from './connection.ts';
import { createDateLine } from './write-reply.ts';

/**
 * Reads plain inferences straight from their sockets: a fraction of what node:http costs for them. Everything
 * else, and every connection on which there was anything else, is node:http's.
 */
export interface Reader {
  /** @returns the socket that the connection has from now on: not always the same */
  take(accepted: Socket): Socket;
  /** Resolves when no request is being read or answered here. */
  whenQuiet(): Promise<void>;
  /** Ends the connections that wait for another request. */
  closeIdle(): void;
  /**
   * Ends those whose clients have connected half a second ago or more and not said anything since.
   * @returns the share of its connections that are silent, just opened ones among them
   */
  closeSilent(): number;
  /** Ends the oldest of those whose clients have not said anything, if there is one. */
  closeOldestSilent(): void;
  destroyAll(): void;
  /** Stops looking for clients that keep it waiting. */
  stop(): void;
}

/** What Node asks the system for at once, too. */
const READ_BYTES = 64 * 1024;

/** A client that has something to ask asks it as soon as it is connected; its first packet may be lost once or twice. */
const SILENT_MS = 500;

export interface ReaderOptions
  extends Pick<ConnectionSurroundings, 'pool' | 'keepAliveMs' | 'isDraining' | 'handOver' | 'onRequest'> {
  /** How often it is looked for clients that keep it waiting, in milliseconds. */
  readonly checkIntervalMs: number;
}

export function createReader(deps: HttpDeps, options: ReaderOptions): Reader {
  const { clock } = deps;
  const connections = new Set<Connection>();
  /** Those that had not said anything when they were last looked at, the oldest first. */
  const silentOnes = new Set<Connection>();
  let waiting: (() => void)[] = [];
  let timer = clock.setTimer(look, options.checkIntervalMs);

  const around: ConnectionSurroundings = {
    deps,
    pool: options.pool,
    readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
    keepAliveMs: options.keepAliveMs,
    isDraining: options.isDraining,
    handOver: options.handOver,
    onRequest: options.onRequest,
    dateLine: createDateLine(clock),
    onLull: wakeIfQuiet,
    onGone(connection) {
      connections.delete(connection);
      silentOnes.delete(connection);
      wakeIfQuiet();
    },
  };

  function look(): void {
    const nowNs = clock.nowNs();
    for (const connection of connections) connection.checkPatience(nowNs);
    timer = clock.setTimer(look, options.checkIntervalMs);
  }

  function isQuiet(): boolean {
    for (const connection of connections) if (connection.isBusy) return false;
    return true;
  }

  function wakeIfQuiet(): void {
    if (waiting.length === 0 || !isQuiet()) return;
    for (const wake of waiting) wake();
    waiting = [];
  }

  return {
    take(accepted) {
      const connection = openConnection(accepted, around);
      connections.add(connection);
      silentOnes.add(connection);
      return connection.socket;
    },
    async whenQuiet() {
      while (!isQuiet()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    closeIdle() {
      for (const connection of connections) if (connection.isIdle) connection.close();
    },
    closeSilent() {
      const nowNs = clock.nowNs();
      let silent = 0;
      const all = connections.size;
      for (const connection of connections) {
        const silentMs = connection.silentMs(nowNs);
        if (silentMs === undefined) continue;
        silent += 1;
        if (silentMs >= SILENT_MS) connection.destroy();
      }
      return all === 0 ? 0 : silent / all;
    },
    closeOldestSilent() {
      const nowNs = clock.nowNs();
      for (const connection of silentOnes) {
        silentOnes.delete(connection);
        if (connection.silentMs(nowNs) === undefined) continue;
        connection.destroy();
        return;
      }
    },
    destroyAll() {
      for (const connection of connections) connection.destroy();
    },
    stop: () => timer.cancel(),
  };
}
