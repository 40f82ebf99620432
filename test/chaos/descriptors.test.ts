import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { GRPCInferenceService } from '../../src/protocol/grpc/generated/inference/service_pb.ts';
import { openRaw, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { connect as connectGrpc } from '../support/grpc-client.ts';
import { childServer } from './child-server.ts';
import { askIris, IRIS } from './models.ts';

const CROWD = 300;
const { serverLive } = GRPCInferenceService.method;

/** Sends the first bytes of a request on each of `count` connections, so that none of them is idle. */
async function crowd(port: number, count: number): Promise<{ readonly sockets: Socket[]; closed(): number }> {
  let closed = 0;
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('close', () => {
      closed += 1;
    });
    socket.resume();
    socket.write('GET / HTTP/1.1\r\nhost:');
    return socket;
  });
  return { sockets, closed: () => closed };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.runIf(process.platform === 'linux').each([
  // At 112, about the least it starts with file by file, the descriptors themselves may run out; at 160 the server turns connections away before that.
  { openFiles: 112 },
  { openFiles: 160 },
])('$openFiles file descriptors and 300 connections', ({ openFiles }) => {
  const server = childServer({ models: [IRIS], openFiles, grpcPort: 0 });

  it('are survived without spinning, and forgotten when the crowd leaves', async () => {
    const known = await openRaw(server.port);
    known.send('GET /v2/health/live HTTP/1.1\r\nhost: test\r\n');
    const { sockets, closed } = await crowd(server.port, CROWD);
    await expect.poll(closed, { timeout: 20_000 }).toBeGreaterThan(CROWD / 4);
    expect(closed()).toBeLessThan(CROWD);

    // The ones turned away leave the listening socket quiet: a loop that fails to accept would use a whole core.
    await pause(500);
    const usedBefore = server.cpuSeconds();
    await pause(1500);
    expect(server.cpuSeconds() - usedBefore).toBeLessThan(0.75);

    known.send('\r\n');
    expect((await known.next()).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => askIris(server.url).catch(() => 0), { timeout: 20_000 }).toBe(200);
    expect(server.isAlive).toBe(true);
  });

  it('idle connections make room for new ones', async () => {
    const idle: Promise<void>[] = [];
    for (let i = 0; i < openFiles; i += 1) {
      const client = await openRaw(server.port);
      client.send(rawRequest('GET', '/v2/health/live'));
      await client.next().catch(() => {});
      idle.push(client.closed);
    }
    await expect.poll(() => askIris(server.url).catch(() => 0), { timeout: 20_000 }).toBe(200);
    await Promise.race(idle);
  });

  it('idle connections of gRPC make room too, and clients connect again', async () => {
    const clients = Array.from({ length: openFiles }, () =>
      // Each with a connection of its own, which grpc-js else would share.
      connectGrpc(server.grpcPort, { 'grpc.use_local_subchannel_pool': 1 }),
    );
    const isLive = ({ unary }: (typeof clients)[number]) =>
      unary(serverLive, {}, { deadline: Date.now() + 2000 }).then(
        () => true,
        () => false,
      );
    // The room may still be taken by the connections of the test before: they are closed in rounds of a second.
    await expect.poll(() => isLive(clients[0]!), { timeout: 20_000 }).toBe(true);
    for (const client of clients) await isLive(client);
    await expect.poll(() => askIris(server.url).catch(() => 0), { timeout: 20_000 }).toBe(200);
    await expect.poll(() => isLive(clients[0]!), { timeout: 20_000 }).toBe(true);
    for (const client of clients) client.close();
    expect(server.isAlive).toBe(true);
  });
});
