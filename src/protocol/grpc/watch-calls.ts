import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { CallList } from './call-list.ts';
import type { Connection } from './connection.ts';
import type { GrpcDeps } from './deps.ts';
import { ERROR } from './http2/constants.ts';

/** Looks this often within a timeout, so that what stands still is cut at most a quarter of it late. */
const LOOKS = 4;

/** However short a timeout is. */
const SHORTEST_LOOK_MS = 5;

/**
 * Ends the calls of clients that stall: in the middle of a message, or before the answer that waits for them in
 * memory. One look over all calls now and then, because a timer for each would cost every client.
 *
 * @returns stops looking
 */
export function watchCalls(
  calls: CallList,
  connections: ReadonlySet<Connection>,
  { clock, options }: GrpcDeps,
): () => void {
  const { receiveTimeoutMs, sendTimeoutMs } = options;
  const limitsMs = [
    receiveTimeoutMs,
    sendTimeoutMs,
    options.keepaliveTimeMs,
    options.keepaliveTimeoutMs,
    options.maxConnectionIdleMs ?? Number.POSITIVE_INFINITY,
    options.maxConnectionAgeMs ?? Number.POSITIVE_INFINITY,
    options.maxConnectionAgeGraceMs ?? Number.POSITIVE_INFINITY,
  ];
  const everyMs = Math.max(SHORTEST_LOOK_MS, Math.min(...limitsMs) / LOOKS);
  let timer = clock.setTimer(look, everyMs);

  function look(): void {
    const nowNs = clock.nowNs();
    for (const call of [...calls.all()]) {
      const { waitingSinceNs = nowNs, sendingSinceNs = nowNs, stream } = call;
      if (nowNs - sendingSinceNs >= sendTimeoutMs * 1e6) {
        // Perhaps it reads nothing at all, and will never see this.
        call.connection.probe();
        stream.reset(ERROR.CANCEL);
      } else if (nowNs - waitingSinceNs >= receiveTimeoutMs * 1e6) call.onStall(stalled(receiveTimeoutMs));
    }
    for (const connection of connections) connection.look();
    timer = clock.setTimer(look, everyMs);
  }

  return () => timer.cancel();
}

function stalled(receiveTimeoutMs: number): NimifyError {
  return new NimifyError(
    'REQUEST_TIMEOUT',
    `message: expected all of it within ${receiveTimeoutMs} ms, got only a part; send it faster or in smaller requests`,
    { details: { where: 'message', expected: { withinMs: receiveTimeoutMs } } },
  );
}
