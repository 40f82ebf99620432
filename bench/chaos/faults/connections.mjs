import { connect } from 'node:net';

/**
 * What happens on the way to clients. Half of the requests go through a proxy that treats them badly; the others must
 * not notice. `judgesProxied`: those of the proxy are to be answered as well, since nothing is taken from them.
 */
const TIMES = { full: 10, short: 2 };

function wayOf({ name, what, faults, judgesProxied = false, about }) {
  return {
    ...{ name, what, about, judgesProxied },
    bars: ['single'],
    seconds: TIMES,
    isProxied: true,
    async inject({ proxy, sleep, seconds }) {
      proxy.set(faults);
      await sleep(seconds * 1000);
      proxy.set({});
    },
  };
}

export const LATENCY = wayOf({
  name: 'latency',
  what: 'half of the connections are 100 ms slower each way, and up to 50 ms more',
  faults: { up: { latencyMs: 100, jitterMs: 50 }, down: { latencyMs: 100, jitterMs: 50 } },
  judgesProxied: true,
});

export const THIN_LINE = wayOf({
  name: 'thin-line',
  what: 'half of the connections carry 20 kB/s, in pieces of 40 bytes',
  faults: {
    up: { bytesPerSecond: 20_000, sliceBytes: 40 },
    down: { bytesPerSecond: 20_000, sliceBytes: 40 },
  },
  judgesProxied: true,
});

export const RESETS = wayOf({
  name: 'resets',
  what: 'half of the connections are reset, 200 ms after they began',
  faults: { resetAfterMs: 200 },
});

export const SILENCE = wayOf({
  name: 'silence',
  what: 'half of the connections lose all that is sent, and nobody is told',
  faults: { up: { isSilent: true }, down: { isSilent: true } },
});

export const HALF_OPEN = wayOf({
  name: 'half-open',
  what: 'half of the connections end after 500 bytes, and the server does not hear of it',
  faults: { up: { isHalfOpen: true }, down: { limitBytes: 500, isHalfOpen: true, slowCloseMs: 200 } },
});

export const DAMAGE = wayOf({
  name: 'damage',
  what: 'on half of the connections one byte of 500 has a bit turned, each way',
  faults: { up: { corruptShare: 0.002 }, down: { corruptShare: 0.002 } },
  about:
    'Damage in numbers cannot be seen by a protocol without checksums; what goes through the proxy may be wrong.',
});

export const SLOW_CLIENTS = {
  name: 'slow-clients',
  what: '200 clients send a request a byte at a time, and never end it',
  bars: ['single'],
  seconds: TIMES,
  async inject({ port, sleep, seconds }) {
    const sockets = Array.from({ length: 200 }, () => opened(port));
    const timer = setInterval(() => {
      for (const socket of sockets) socket.write('x');
    }, 100);
    for (const socket of sockets) socket.write('POST /v2/models/sums/infer HTTP/1.1\r\nhost: x\r\nx-slow: ');
    await sleep(seconds * 1000);
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  },
};

export const VANISHED_CLIENTS = {
  name: 'vanished-clients',
  what: '50 clients a second ask for a run of milliseconds and are gone before it ends',
  bars: ['single'],
  seconds: TIMES,
  async inject({ port, sleep, seconds, bytesOf, count }) {
    const untilMs = performance.now() + seconds * 1000;
    while (performance.now() < untilMs) {
      const socket = opened(port);
      socket.write(bytesOf('sines'), () => socket.resetAndDestroy());
      count('vanished', 1);
      await sleep(20);
    }
  },
};

function opened(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}
