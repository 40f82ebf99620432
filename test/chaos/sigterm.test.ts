import { afterEach, describe, expect, it } from 'vitest';
import { openRaw, type RawClient, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { type Running, startNimify } from '../support/nimify.ts';
import { IRIS, IRIS_BODY, SLOW } from './models.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FAST_REQUEST = rawRequest('POST', '/v2/models/iris/infer', JSON_TYPE, IRIS_BODY);
const SLOW_REQUEST = rawRequest('POST', '/v1/predict', JSON_TYPE, '{"model":"slow","x":[2.5]}');

const LOOPING = 40;
const FRESH = 60;

let running: Running | undefined;
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
});

async function serve(): Promise<number> {
  const models = [IRIS, SLOW].map(({ name, path }) => `${name}=${path}`);
  const ports = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];
  running = startNimify(['serve', ...models, ...ports, '--engine-host', 'thread', '--instances', '1']);
  const [, port = ''] = await running.printed(/ at http:\/\/127\.0\.0\.1:(\d+)[\s\S]*docs {5}/);
  return Number(port);
}

function open(port: number, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => openRaw(port)));
}

describe.runIf(process.platform !== 'win32')('SIGTERM under load', () => {
  it('loses nothing: all that was sent before it is answered, readiness is gone at once, exit 0', async () => {
    const port = await serve();
    const statuses: number[] = [];
    let sent = 0;
    let isSignalled = false;

    const looping = (await open(port, LOOPING)).map(async (client, i) => {
      while (!isSignalled) {
        sent += 1;
        client.send(i < 4 ? SLOW_REQUEST : FAST_REQUEST);
        statuses.push((await client.next()).status);
      }
    });
    const [prober] = await open(port, 1);
    prober?.send('GET /v1/health/ready HTTP/1.1\r\nhost: test\r\n');
    await expect.poll(() => statuses.length).toBeGreaterThan(LOOPING * 3);

    // While the process stands still, the system takes what clients send: then the signal is first to be seen.
    running?.process.kill('SIGSTOP');
    const fresh = await open(port, FRESH);
    for (const client of fresh) {
      sent += 1;
      client.send(FAST_REQUEST);
    }
    running?.process.kill('SIGTERM');
    isSignalled = true;
    running?.process.kill('SIGCONT');
    await running?.logged(/draining/);
    prober?.send('\r\n');

    const last = fresh.map(async (client) => statuses.push((await client.next()).status));
    expect(await prober?.next()).toMatchObject({ status: 503, headers: { connection: 'close' } });
    await Promise.all([...looping, ...last]);
    expect(statuses).toEqual(Array(sent).fill(200));
    expect(await running?.finished).toMatchObject({ exitCode: 0 });
    await expect(fetch(`http://127.0.0.1:${port}/v2/health/live`)).rejects.toThrow();
  });
});
