import { afterEach, expect, it } from 'vitest';
import { type LogFields, type Logger, SILENT } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createConnectionRoom } from '../connection-room.ts';
import { createMetricsServer, type MetricsServer } from './metrics-server.ts';

const open: MetricsServer[] = [];

const roomFor = (clock: Clock) => createConnectionRoom({ clock, log: SILENT, maxConnections: undefined });

async function start() {
  const metrics = createMetricsRegistry();
  metrics.counter('app_requests', 'R.').labels().inc(7);
  const logged: [LogFields, string][] = [];
  const log: Logger = { ...SILENT, error: (...line) => logged.push(line) };
  const clock = createFakeClock();
  const server = createMetricsServer({ metrics, clock, log, connectionRoom: roomFor(clock) });
  open.push(server);
  const { host, port } = await server.listen('127.0.0.1', 0);
  return { metrics, clock, logged, url: `http://${host}:${port}`, port };
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

it('serves the text format', async () => {
  const { url } = await start();
  const answer = await fetch(`${url}/metrics?x=1`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await answer.text()).toContain('app_requests_total 7\n');
});

it('tells that it is there', async () => {
  const { url } = await start();
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const head = await fetch(`${url}/metrics`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

it('survives a collector that fails, and logs why once a minute', async () => {
  const { url, metrics, clock, logged } = await start();
  const failure = new Error('no');
  metrics.onCollect(() => {
    throw failure;
  });
  const scrape = () => fetch(`${url}/metrics`);
  const answer = await scrape();
  expect([answer.status, await answer.text()]).toEqual([
    500,
    expect.stringContaining('the log has the reason'),
  ]);
  for (let again = 0; again < 3; again += 1) await scrape();
  const message = expect.stringContaining('could not be collected');
  expect(logged).toEqual([[{ err: failure, scrapes: 1 }, message]]);
  clock.advance(60_000);
  await scrape();
  expect(logged.slice(1)).toEqual([[{ err: failure, scrapes: 4 }, message]]);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

it('answers 404 and 405 to all else', async () => {
  const { url } = await start();
  expect((await fetch(`${url}/`)).status).toBe(404);
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('says what to do about a taken port', async () => {
  const { port } = await start();
  const clock = createFakeClock();
  const second = createMetricsServer({
    ...{ metrics: createMetricsRegistry(), clock, log: SILENT, connectionRoom: roomFor(clock) },
  });
  await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/busy.*--metrics-port/),
  });
  await second.close();
});
