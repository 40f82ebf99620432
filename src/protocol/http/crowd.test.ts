import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { connectionsWithin, limitConnections, roomForConnections } from './crowd.ts';
import { openRaw, rawRequest } from './raw-client.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(maxConnections?: number) {
  const server = createServer((_, response) => response.end('here'));
  servers.push(server);
  const clock = createFakeClock();
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const log = { ...SILENT, warn: (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields) };
  const closeIdle = () => server.closeIdleConnections();
  limitConnections(server, { clock, log, maxConnections, closeIdle });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, clock, warnings, port: (server.address() as AddressInfo).port };
}

describe('limitConnections', () => {
  it('turns away what is beyond the limit, and closes idle connections to make room', async () => {
    const { port, warnings } = await serve(2);
    const idle = [await openRaw(port), await openRaw(port)];
    for (const client of idle) {
      client.send(rawRequest('GET', '/'));
      expect((await client.next()).status).toBe(200);
    }
    const third = await openRaw(port);
    await third.closed;
    await Promise.all(idle.map((client) => client.closed));
    expect(warnings).toEqual([{ maxConnections: 2 }]);
    const fourth = await openRaw(port);
    fourth.send(rawRequest('GET', '/'));
    expect((await fourth.next()).status).toBe(200);
  });

  it('tells about it once a second at most', async () => {
    const { port, warnings, clock } = await serve(1);
    const busy = await openRaw(port);
    busy.send('GET / HTTP/1.1\r\nhost:');
    for (let i = 0; i < 3; i += 1) await (await openRaw(port)).closed;
    expect(warnings).toHaveLength(1);
    clock.advance(1000);
    await (await openRaw(port)).closed;
    expect(warnings).toHaveLength(2);
  });

  it('survives what the system refuses to accept, with its cause in the log', async () => {
    const { server, port, warnings } = await serve();
    const cause = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    server.emit('error', cause);
    expect(warnings).toEqual([{ err: cause }]);
    const client = await openRaw(port);
    client.send(rawRequest('GET', '/'));
    expect((await client.next()).status).toBe(200);
  });
});

const limitsOf = (soft: string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \n` +
  `Max processes             94931                94931                processes \n` +
  `Max open files            ${soft.padEnd(20)} 1048576              files     \n`;

describe('connectionsWithin', () => {
  it.each([
    ['1024', 896],
    ['20000', 17_500],
    ['256', 192],
    ['40', 8],
  ])('of %s open files keeps some for everything else', (soft, connections) => {
    expect(connectionsWithin(limitsOf(soft))).toBe(connections);
  });

  it('is without a limit where there is none, or none is told', () => {
    expect(connectionsWithin(limitsOf('unlimited'))).toBeUndefined();
    expect(connectionsWithin('')).toBeUndefined();
  });
});

describe('roomForConnections', () => {
  it.runIf(process.platform === 'linux')('reads the limit of this process', () => {
    expect(roomForConnections()).toBeGreaterThanOrEqual(8);
  });
});
