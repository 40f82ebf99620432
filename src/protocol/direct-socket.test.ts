import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { readDirectly } from './direct-socket.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

it('reads to where it is told, and the accepted socket closes with the one in its place', async () => {
  const place = Buffer.alloc(100);
  const read: string[] = [];
  let socket: Socket | undefined;
  let closed = 0;
  const server = createServer((accepted) => {
    accepted.on('close', () => {
      closed += 1;
    });
    socket = readDirectly(accepted, {
      place: () => place,
      onRead: (size, into) => void read.push(Buffer.from(into.subarray(0, size)).toString()),
    });
    socket?.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => void server.close());
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  client.end('hello');
  await new Promise((resolve) => client.on('close', resolve));
  expect(read.join('')).toBe('hello');
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(1);
  expect(socket?.destroyed).toBe(true);
  expect(await new Promise((resolve) => server.getConnections((_err, count) => resolve(count)))).toBe(0);
});
