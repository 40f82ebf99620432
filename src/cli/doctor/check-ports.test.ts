import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { checkPorts } from './check-ports.ts';

const SERVER = {
  host: '127.0.0.1',
  auth: 'loopback',
  httpPort: 0,
  grpcPort: 0,
  metricsPort: 0,
  maxBodyBytes: 1,
  receiveTimeoutMs: 1,
  sendTimeoutMs: 1,
  httpReader: 'own',
  busyPoll: 'auto',
  maxConnections: undefined,
  maxMemoryBytes: 'auto',
  processes: 1,
  supervise: 'auto',
  drainPauseMs: 0,
  graceMs: 1,
} as const;

it('a port that is busy fails', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const { port } = blocker.address() as { port: number };
  const busy = await checkPorts({ ...SERVER, httpPort: port });
  const grpc = await checkPorts({ ...SERVER, grpcPort: port });
  await new Promise((resolve) => blocker.close(resolve));
  expect(busy.map(({ status }) => status)).toEqual(['fail', 'ok', 'ok']);
  expect(busy[0]).toMatchObject({
    says: `127.0.0.1 port ${port} (HTTP) is busy`,
    mend: expect.stringContaining('--http-port'),
  });
  expect(grpc.map(({ status }) => status)).toEqual(['ok', 'fail', 'ok']);
  expect((await checkPorts({ ...SERVER, httpPort: port })).map(({ status }) => status)).toEqual([
    'ok',
    'ok',
    'ok',
  ]);
});

it('an address of another machine fails', async () => {
  const [http] = await checkPorts({ ...SERVER, host: '192.0.2.1', httpPort: 8000 });
  expect(http).toMatchObject({ status: 'fail', says: expect.stringContaining('no address of this machine') });
});
