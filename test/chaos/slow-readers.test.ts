import { describe, expect, it } from 'vitest';
import { openRaw, type RawClient, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { type ChildServer, childServer } from './child-server.ts';
import { askIris, askIrisUntil, IRIS, OF_SHAPE, zerosBody } from './models.ts';

/** More than the buffers of the system hold for a connection: what fits in there has been taken. */
const ANSWER_MIB = 48;
const READERS = 6;
const WAVES = 4;

const requestOf = (answerMib: number) =>
  rawRequest(
    'POST',
    '/v2/models/of_shape/infer',
    { 'content-type': 'application/json' },
    zerosBody(answerMib),
  );

/** A client that sends `requests` times and reads nothing. */
async function openStuck(port: number, requests = 1): Promise<RawClient> {
  const client = await openRaw(port);
  client.socket.pause();
  client.send(Buffer.concat(Array.from({ length: requests }, () => requestOf(ANSWER_MIB))));
  return client;
}

/** Resolves when the server holds none of them any more. */
async function allCut(clients: readonly RawClient[], server: ChildServer): Promise<void> {
  const ports = clients.map((client) => client.socket.localPort ?? 0);
  await expect.poll(() => ports.some((port) => server.holds(port)), { timeout: 30_000 }).toBe(false);
  for (const client of clients) client.socket.destroy();
}

describe.runIf(process.platform === 'linux')('clients that do not read their answers', () => {
  const server = childServer({ models: [IRIS, OF_SHAPE], http: { sendTimeoutMs: 1000 } });

  it('cost their answers while they are waited for, then nothing; others are served', async () => {
    expect(await askIris(server.url)).toBe(200);
    const before = server.residentMib();
    server.forgetPeak();
    for (let wave = 0; wave < WAVES; wave += 1) {
      const clients: RawClient[] = [];
      for (let i = 0; i < READERS; i += 1) clients.push(await openStuck(server.port));
      const cut = allCut(clients, server);
      expect(await askIrisUntil(server.url, cut)).toEqual(new Set([200]));
    }
    // One wave, and the one before it, which is garbage by then but need not have been collected.
    expect(server.peakMib() - before).toBeLessThan(READERS * ANSWER_MIB * (WAVES - 1));
  });

  it('cost a few answers where they pipeline hundreds of requests', async () => {
    const before = server.residentMib();
    server.forgetPeak();
    const client = await openStuck(server.port, 300);
    const cut = allCut([client], server);
    expect(await askIrisUntil(server.url, cut)).toEqual(new Set([200]));
    expect(server.peakMib() - before).toBeLessThan(14 * ANSWER_MIB);
  });

  it('are given their answers where they read slowly', async () => {
    const slowMib = 4;
    const client = await openRaw(server.port);
    client.send(requestOf(slowMib));
    client.socket.on('data', () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 10);
    });
    const answer = await client.next();
    expect(answer.status).toBe(200);
    expect(answer.body.length).toBeGreaterThan(slowMib * 2 ** 20);
  });
});
