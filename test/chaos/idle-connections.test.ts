import { describe, expect, it } from 'vitest';
import { roomForConnections } from '../../src/protocol/connection-room.ts';
import { openRaw, type RawClient, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { childServer } from './child-server.ts';
import { askIris, askIrisUntil, IRIS } from './models.ts';

/** As many as are asked for, or as the system's limit of open files lets this process and the server have. */
const CONNECTIONS = Math.min(10_000, (roomForConnections() ?? 1000) - 200);
const AT_ONCE = 100;

describe.runIf(process.platform === 'linux')(`${CONNECTIONS} idle keep-alive connections`, () => {
  const server = childServer({ models: [IRIS] });

  it('cost little memory each, and others are served', async ({ annotate }) => {
    expect(await askIris(server.url)).toBe(200);
    const before = server.residentMib();
    const clients: RawClient[] = [];
    const opened = (async () => {
      while (clients.length < CONNECTIONS) {
        const some = Math.min(AT_ONCE, CONNECTIONS - clients.length);
        clients.push(...(await Promise.all(Array.from({ length: some }, () => askOnce(server.port)))));
      }
    })();
    expect(await askIrisUntil(server.url, opened)).toEqual(new Set([200]));
    const kibEach = ((server.residentMib() - before) * 1024) / CONNECTIONS;
    await annotate(`${kibEach.toFixed(1)} KiB of the server's memory for each of ${CONNECTIONS} connections`);
    expect(kibEach).toBeLessThan(40);

    expect(clients.filter((client) => client.socket.destroyed)).toEqual([]);
    expect(await askIris(server.url)).toBe(200);
    const last = clients.at(-1)!;
    last.send(rawRequest('GET', '/v2/health/ready'));
    expect((await last.next()).status).toBe(200);
    for (const client of clients) client.socket.destroy();
    expect(await askIris(server.url)).toBe(200);
  });
});

async function askOnce(port: number): Promise<RawClient> {
  const client = await openRaw(port);
  client.send(rawRequest('GET', '/v2/health/live'));
  const { status } = await client.next();
  if (status !== 200) throw new Error(`answered ${status}`);
  return client;
}
