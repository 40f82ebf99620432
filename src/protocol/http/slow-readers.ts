import type { Socket } from 'node:net';
import type { Clock } from '../../base/util/clock.ts';

export interface SlowReaderOptions {
  readonly clock: Clock;
  /** Longest time in which a client may take nothing of the answer that waits for it, in milliseconds. */
  readonly sendTimeoutMs: number;
}

/** How much of the waiting bytes a client had taken when it was last seen to take any, and when that was. */
interface Standstill {
  readonly takenBytes: number;
  readonly sinceNs: number;
}

/** Looks this often within the timeout, so that a connection is cut at most a quarter of it late. */
const LOOKS = 4;

/**
 * Cuts the connections of clients that do not take their answers: those wait in memory, and nothing else would
 * ever end them. One look over all connections now and then, because a timer for each answer would cost every
 * client. What counts as taken is a whole write, so answers must be written in pieces (see `sendReply`).
 *
 * @returns stops looking
 */
export function cutSlowReaders(connections: () => Iterable<Socket>, options: SlowReaderOptions): () => void {
  const { clock, sendTimeoutMs } = options;
  const standstills = new WeakMap<Socket, Standstill>();
  let timer = clock.setTimer(look, sendTimeoutMs / LOOKS);

  function look(): void {
    const nowNs = clock.nowNs();
    for (const socket of connections()) {
      if (socket.writableLength === 0) {
        standstills.delete(socket);
        continue;
      }
      const takenBytes = socket.bytesWritten - socket.writableLength;
      const standstill = standstills.get(socket);
      if (standstill === undefined || standstill.takenBytes !== takenBytes) {
        standstills.set(socket, { takenBytes, sinceNs: nowNs });
      } else if (nowNs - standstill.sinceNs >= sendTimeoutMs * 1e6) socket.destroy();
    }
    timer = clock.setTimer(look, sendTimeoutMs / LOOKS);
  }

  return () => timer.cancel();
}
