import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SILENT } from '../base/telemetry/log.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { connectionsWithin, createConnectionRoom, roomForConnections } from './connection-room.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

interface Client {
  /** Asks; resolves with what comes back, to the end of the connection or of the answer. */
  ask(): Promise<string>;
  send(text: string): void;
  readonly closed: Promise<void>;
}

/** A client that has been answered, and is in the midst of its next request. */
async function busyAt(port: number): Promise<Client> {
  const client = await open(port);
  expect(await client.ask()).toBe(OK);
  client.send('GET / HTTP/1.1\r\nhost:');
  return client;
}

function open(port: number): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise<void>((gone) => socket.on('close', () => gone()));
    const ask = () =>
      new Promise<string>((told) => {
        socket.once('data', (answer: Buffer) => told(answer.toString('latin1', 0, 12)));
        void closed.then(() => told(''));
        socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
      });
    socket.on('connect', () => resolve({ ask, send: (text) => void socket.write(text), closed }));
    socket.resume();
  });
}

async function serve(maxConnections?: number, count = 1) {
  const clock = createFakeClock();
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const log = { ...SILENT, warn: (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields) };
  const room = createConnectionRoom({ clock, log, maxConnections });
  const own = Array.from({ length: count }, () => createServer((_, response) => response.end('here')));
  servers.push(...own);
  const ports: number[] = [];
  for (const server of own) {
    const door = room.open(server, () => server.closeIdleConnections());
    server.on('connection', (socket) => {
      door.entered();
      socket.on('close', door.left);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  return { server: own[0]!, clock, warnings, port: ports[0]!, ports };
}

const OK = 'HTTP/1.1 200';

describe('a room for connections', () => {
  it('turns away what is beyond the limit, and closes idle connections to make room', async () => {
    const { port, warnings } = await serve(2);
    const idle = [await open(port), await open(port)];
    for (const client of idle) expect(await client.ask()).toBe(OK);
    await (await open(port)).closed;
    await Promise.all(idle.map((client) => client.closed));
    expect(warnings).toEqual([{ maxConnections: 2 }]);
    expect(await (await open(port)).ask()).toBe(OK);
  });

  it('has each who comes take the place of one who says nothing, before there is none left', () => {
    const room = createConnectionRoom({ clock: createFakeClock(), log: SILENT, maxConnections: 100 });
    let closed = 0;
    const door = room.open(
      createServer(),
      () => {},
      () => {
        closed += 1;
      },
    );
    for (let i = 0; i < 75; i += 1) door.entered();
    expect(closed).toBe(0);
    for (let i = 0; i < 3; i += 1) door.entered();
    expect(closed).toBe(3);
    for (let i = 0; i < 3; i += 1) door.left();
    door.left();
    door.entered();
    expect(closed).toBe(3);
  });

  it('is shared by all ports: each takes what the others leave, and at least one', async () => {
    const { ports, warnings } = await serve(3, 2);
    const [a = 0, b = 0] = ports;
    const busy = [await busyAt(a), await busyAt(a), await busyAt(b)];
    await (await open(a)).closed;
    await (await open(b)).closed;
    expect(warnings).toHaveLength(1);
    for (const client of busy.slice(0, 2)) client.send(' here\r\nconnection: close\r\n\r\n');
    await Promise.all(busy.slice(0, 2).map((client) => client.closed));
    for (let i = 0; i < 2; i += 1) await busyAt(b);
    await (await open(b)).closed;
    expect(await (await open(a)).ask()).toBe(OK);
  });

  it('closes idle connections of other ports too', async () => {
    const { ports } = await serve(2, 2);
    const [a = 0, b = 0] = ports;
    const idle = await open(b);
    expect(await idle.ask()).toBe(OK);
    await busyAt(a);
    await (await open(a)).closed;
    await idle.closed;
    expect(await (await open(a)).ask()).toBe(OK);
  });

  it('tells about it once a second at most', async () => {
    const { port, warnings, clock } = await serve(1);
    await busyAt(port);
    for (let i = 0; i < 3; i += 1) await (await open(port)).closed;
    expect(warnings).toHaveLength(1);
    clock.advance(1000);
    await (await open(port)).closed;
    expect(warnings).toHaveLength(2);
  });

  it('survives what the system refuses to accept, with its cause in the log', async () => {
    const { server, port, warnings } = await serve();
    const cause = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    server.emit('error', cause);
    expect(warnings).toEqual([{ err: cause }]);
    expect(await (await open(port)).ask()).toBe(OK);
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
    ['256', 152],
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
