import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.mjs';

let server: Server;
let proxy: FaultProxy;
/** Of the server's side, in the order of their coming. */
let accepted: Socket[];
const clients: Socket[] = [];

beforeEach(async () => {
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => {});
    // An echo, and an end where the client ends.
    socket.on('data', (bytes) => socket.write(bytes));
    socket.on('end', () => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  proxy = await startFaultProxy({ targetPort: port, seed: 7 });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.stop();
  for (const socket of accepted) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function open() {
  const socket = connect({ host: '127.0.0.1', port: proxy.port, allowHalfOpen: true, noDelay: true });
  clients.push(socket);
  const pieces: Buffer[] = [];
  let how: 'open' | 'ended' | 'reset' = 'open';
  socket.on('data', (bytes: Buffer) => pieces.push(bytes));
  socket.on('end', () => {
    how = 'ended';
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    how = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : how;
  });
  // A reset may be all there is.
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  return { socket, pieces, got: () => Buffer.concat(pieces), how: () => how };
}

const X = 'x'.charCodeAt(0);
const text = (bytes: Buffer) => bytes.toString();
/** Long enough for what goes through a proxy of this process unhindered. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 60));

describe('a proxy without faults', () => {
  it('carries bytes both ways, and ends', async () => {
    const { socket, got, how } = await open();
    socket.write('there ');
    socket.end('and back');
    await expect.poll(how).toBe('ended');
    expect(text(got())).toBe('there and back');
    await expect.poll(() => proxy.open).toBe(0);
    expect(proxy.accepted).toBe(1);
  });

  it('carries more than it holds, to a slow reader too', async () => {
    const { socket, pieces, got } = await open();
    const sent = Buffer.alloc(8 << 20, 'abc');
    socket.pause();
    socket.write(sent);
    await aMoment();
    expect(pieces).toEqual([]);
    socket.resume();
    await expect.poll(() => got().length).toBe(sent.length);
    expect(got().equals(sent)).toBe(true);
  });

  it('passes a reset on', async () => {
    const { socket } = await open();
    await expect.poll(() => accepted.length).toBe(1);
    socket.resetAndDestroy();
    await expect.poll(() => accepted[0]!.destroyed).toBe(true);
    expect(accepted[0]!.errored).toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => proxy.open).toBe(0);
  });
});

describe('bytes', () => {
  it('come later, and in their order', async () => {
    proxy.set({ up: { latencyMs: 20, jitterMs: 30 }, down: { latencyMs: 20 } });
    const { socket, got } = await open();
    const from = performance.now();
    for (let number = 0; number < 20; number += 1) socket.write(`${number} `);
    await expect.poll(() => text(got()).split(' ').length).toBe(21);
    expect(text(got())).toBe(Array.from({ length: 20 }, (_, number) => `${number} `).join(''));
    // A lower bound is no matter of how busy the machine is.
    expect(performance.now() - from).toBeGreaterThanOrEqual(39);
  });

  it('take the time that the bandwidth leaves them', async () => {
    proxy.set({ up: { bytesPerSecond: 100_000, sliceBytes: 1000 } });
    const { socket, got } = await open();
    const from = performance.now();
    socket.write(Buffer.alloc(10_000));
    await expect.poll(() => got().length).toBe(10_000);
    expect(performance.now() - from).toBeGreaterThanOrEqual(95);
  });

  it('come in pieces', async () => {
    proxy.set({ down: { sliceBytes: 3, latencyMs: 5, bytesPerSecond: 300 } });
    const { socket, pieces, got } = await open();
    socket.write('0123456789');
    await expect.poll(() => got().length).toBe(10);
    expect(pieces.length).toBeGreaterThan(1);
    expect(text(got())).toBe('0123456789');
  });

  it('are damaged, as many as told, and the same of the same seed', async () => {
    const sent = Buffer.alloc(20_000, 'x');
    const damagedBy = async () => {
      const { port } = server.address() as { port: number };
      const again = await startFaultProxy({ targetPort: port, seed: 3 });
      again.set({ up: { corruptShare: 0.01 } });
      const socket = connect(again.port, '127.0.0.1');
      clients.push(socket);
      const pieces: Buffer[] = [];
      socket.on('data', (bytes: Buffer) => pieces.push(bytes));
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(sent);
      await expect.poll(() => Buffer.concat(pieces).length).toBe(sent.length);
      await again.stop();
      return Buffer.concat(pieces);
    };
    const first = await damagedBy();
    const changed = first.filter((byte) => byte !== X).length;
    expect(changed).toBeGreaterThan(120);
    expect(changed).toBeLessThan(280);
    for (const byte of first) {
      const turned = byte ^ X;
      expect(turned & (turned - 1)).toBe(0);
    }
    // With 20 kB the system may cut pieces elsewhere; the first damage does not depend on it.
    const firstDamage = (bytes: Buffer) => bytes.findIndex((byte) => byte !== X);
    expect(firstDamage(await damagedBy())).toBe(firstDamage(first));
  });

  it('end after so many', async () => {
    proxy.set({ down: { limitBytes: 4 } });
    const { socket, got, how } = await open();
    socket.write('0123456789');
    await expect.poll(how).not.toBe('open');
    expect(text(got())).toBe('0123');
  });

  it('are lost without a word, on connections that are open already', async () => {
    const { socket, got, how } = await open();
    socket.write('a');
    await expect.poll(() => text(got())).toBe('a');
    proxy.set({ up: { isSilent: true } });
    socket.write('b');
    socket.end();
    await aMoment();
    expect([text(got()), how()]).toEqual(['a', 'open']);
  });
});

describe('connections', () => {
  it('are reset after a time', async () => {
    proxy.set({ resetAfterMs: 20 });
    const { how } = await open();
    await expect.poll(how).toBe('reset');
  });

  it('are closed after a time, answered or not: a timeout', async () => {
    proxy.set({ up: { isSilent: true }, closeAfterMs: 20 });
    const { socket, got, how } = await open();
    socket.write('a');
    await expect.poll(how).toBe('ended');
    expect(got()).toHaveLength(0);
  });

  it('are closed slowly', async () => {
    proxy.set({ up: { slowCloseMs: 40 } });
    const { socket, how } = await open();
    const from = performance.now();
    socket.end('a');
    await expect.poll(how).toBe('ended');
    expect(performance.now() - from).toBeGreaterThanOrEqual(39);
  });

  it('stay half open: the server does not hear that its client left', async () => {
    proxy.set({ up: { isHalfOpen: true } });
    const { socket, got } = await open();
    socket.write('a');
    await expect.poll(() => text(got())).toBe('a');
    let ended = false;
    accepted[0]!.on('end', () => {
      ended = true;
    });
    socket.resetAndDestroy();
    await aMoment();
    expect([ended, accepted[0]!.destroyed]).toEqual([false, false]);
    expect(proxy.open).toBe(1);
  });

  it('meet a fault by their luck, which the seed decides', async () => {
    proxy.set({ share: 0.5, resetAfterMs: 10 });
    const opened: Awaited<ReturnType<typeof open>>[] = [];
    for (let number = 0; number < 12; number += 1) opened.push(await open());
    const unlucky = 'reset reset reset reset reset open reset reset open open reset reset';
    await expect.poll(() => opened.map(({ how }) => how()).join(' ')).toBe(unlucky);
    await aMoment();
    expect(opened.map(({ how }) => how()).join(' ')).toBe(unlucky);
  });

  it('are refused while the target is down', async () => {
    const before = await open();
    proxy.down();
    await expect.poll(before.how).toBe('reset');
    const meanwhile = await open();
    await expect.poll(meanwhile.how).toBe('reset');
    proxy.up();
    const { socket, got } = await open();
    socket.write('a');
    await expect.poll(() => text(got())).toBe('a');
  });
});
