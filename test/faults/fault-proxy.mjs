import { connect, createServer } from 'node:net';
import { createRandom } from '../../bench/harness/batching/arrivals.mjs';
import { createPipe } from './faulty-pipe.mjs';

/**
 * What a connection does to the bytes of one direction; all of it at once where several are given.
 *
 * @typedef {object} PipeFaults
 * @property {number} [latencyMs] every byte comes so much later
 * @property {number} [jitterMs] and up to so much more, by chance; bytes keep their order
 * @property {number} [bytesPerSecond] no more than these get through
 * @property {number} [sliceBytes] bytes come in pieces of at most so many
 * @property {number} [corruptShare] of the bytes so many have one bit turned
 * @property {number} [limitBytes] after so many the connection is closed
 * @property {number} [slowCloseMs] the end of one side is told to the other so much later
 * @property {boolean} [isSilent] nothing gets through, and nobody is told: packets are lost
 * @property {boolean} [isHalfOpen] the end of one side is never told to the other
 */

/**
 * @typedef {object} Faults
 * @property {PipeFaults} [up] from the client to the server
 * @property {PipeFaults} [down] from the server to the client
 * @property {number} [resetAfterMs] both sides get a reset so long after the connection, or the fault, began
 * @property {number} [closeAfterMs] the same, with an end instead of a reset
 * @property {number} [share] of connections that this happens to; all by default
 */

/**
 * A TCP proxy on a free port of this machine that treats connections badly, as it is told: connections that are open
 * as well as those to come. The same seed makes the same choices for the n-th connection.
 *
 * @param {{targetPort: number, seed?: number}} options
 */
export async function startFaultProxy({ targetPort, seed = 1 }) {
  const links = new Set();
  let faults = {};
  let isDown = false;
  let accepted = 0;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    // Whoever connects while the target is down is told at once, as by a machine without such a port.
    if (isDown) return void client.resetAndDestroy();
    accepted += 1;
    const link = createLink(client, targetPort, createRandom(seed * 1_000_003 + accepted));
    links.add(link);
    link.onClose(() => links.delete(link));
    link.set(faults);
  });
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });

  const end = (how) => {
    for (const link of [...links]) link[how]();
  };
  return {
    port: server.address().port,
    /** Connections so far. */
    get accepted() {
      return accepted;
    },
    /** Connections that are open on either side. */
    get open() {
      return links.size;
    },
    /** @param {Faults} next what happens from now on; `{}`: nothing */
    set(next) {
      faults = next;
      for (const link of links) link.set(next);
    },
    resetAll: () => end('reset'),
    /** No connections any more, and none to come, until `up`. */
    down() {
      isDown = true;
      end('reset');
    },
    up() {
      isDown = false;
    },
    async stop() {
      end('reset');
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One connection: two sockets and a pipe each way. */
function createLink(client, targetPort, random) {
  const target = connect({ host: '127.0.0.1', port: targetPort, allowHalfOpen: true, noDelay: true });
  const luck = random();
  const up = createPipe(client, target, random, () => end());
  const down = createPipe(target, client, random, () => end());
  const listeners = [];
  let timers = [];
  let isOver = false;

  function over(act) {
    if (isOver) return;
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    for (const pipe of [up, down]) pipe.stop();
    for (const socket of [client, target]) act(socket);
    for (const listener of listeners) listener();
  }
  const reset = () => over((socket) => (socket.connecting ? socket.destroy() : socket.resetAndDestroy()));
  const end = () => over((socket) => socket.destroySoon());

  for (const [socket, pipe] of [
    [client, up],
    [target, down],
  ]) {
    // A reset is passed on as one, but where the other side is not to hear of it.
    socket.on('error', () => {
      if (!pipe.isDeaf()) reset();
    });
    socket.on('close', () => {
      if (client.destroyed && target.destroyed) end();
    });
  }
  return {
    set({ up: upFaults = {}, down: downFaults = {}, resetAfterMs, closeAfterMs, share = 1 }) {
      for (const timer of timers) clearTimeout(timer);
      timers = [];
      const isMeant = luck < share;
      up.set(isMeant ? upFaults : {});
      down.set(isMeant ? downFaults : {});
      if (isMeant && resetAfterMs !== undefined) timers.push(setTimeout(reset, resetAfterMs));
      if (isMeant && closeAfterMs !== undefined) timers.push(setTimeout(end, closeAfterMs));
    },
    reset,
    onClose: (listener) => listeners.push(listener),
  };
}
