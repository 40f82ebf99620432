import { connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { duplicateDescriptor } from '../engine/onnxruntime/native/duplicate-descriptor.ts';
import { type DuplicateDescriptor, withAcceptors } from './acceptors.ts';
import { type ListenAddress, listen } from './listen.ts';

const COUNT = 32;
const isLinux = process.platform === 'linux';
const clients: Socket[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

async function open(duplicate: DuplicateDescriptor): Promise<{ server: Server; address: ListenAddress }> {
  const server = createServer((socket) => void socket.on('error', () => {}));
  const address = await withAcceptors(listen, duplicate)(server, '127.0.0.1', 0, '--http-port');
  return { server, address };
}

/** The most that were accepted between two turns of the event loop, of those that came at once. */
async function mostInATurn({ server, address }: Awaited<ReturnType<typeof open>>): Promise<number> {
  let accepted = 0;
  server.on('connection', () => {
    accepted += 1;
  });
  for (let i = 0; i < COUNT; i += 1) clients.push(connect(address.port, address.host).on('error', () => {}));
  let most = 0;
  while (accepted < COUNT) {
    const before = accepted;
    await nextTurn();
    most = Math.max(most, accepted - before);
  }
  return most;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  for (const client of clients.splice(0)) client.destroy();
  await closed;
}

describe('withAcceptors', () => {
  it.runIf(isLinux)('takes several connections in a turn of the event loop', async () => {
    const opened = await open(duplicateDescriptor);
    expect(await mostInATurn(opened)).toBeGreaterThan(4);
    await close(opened.server);
  });

  it('serves as before where there are no more descriptors', async () => {
    const opened = await open(() => undefined);
    expect(await mostInATurn(opened)).toBeGreaterThan(0);
    await close(opened.server);
  });

  it.runIf(isLinux)('counts the connections of all, and leaves the port when the server does', async () => {
    const { server, address } = await open(duplicateDescriptor);
    await mostInATurn({ server, address });
    const count = await new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n)));
    expect(count).toBe(COUNT);
    await close(server);
    const another = createServer();
    await expect(listen(another, address.host, address.port, '--http-port')).resolves.toEqual(address);
    await close(another);
  });

  it.runIf(isLinux)('refuses none of those that its limit allows, and more than that', async () => {
    const { server, address } = await open(duplicateDescriptor);
    server.maxConnections = 5;
    let dropped = 0;
    server.on('drop', () => {
      dropped += 1;
    });
    for (let i = 0; i < COUNT; i += 1)
      clients.push(connect(address.port, address.host).on('error', () => {}));
    while (dropped < COUNT - 5) await nextTurn();
    expect(dropped).toBe(COUNT - 5);
    await close(server);
  });
});
