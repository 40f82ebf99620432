import { afterEach, expect, it } from 'vitest';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { createMetricsServer, type MetricsServer } from './metrics-server.ts';

const open: MetricsServer[] = [];

async function start() {
  const metrics = createMetricsRegistry();
  metrics.counter('app_requests', 'R.').labels().inc(7);
  const server = createMetricsServer(metrics);
  open.push(server);
  const { host, port } = await server.listen('127.0.0.1', 0);
  return { metrics, url: `http://${host}:${port}`, port };
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

it('survives a collector that fails', async () => {
  const { url, metrics } = await start();
  metrics.onCollect(() => {
    throw new Error('no');
  });
  expect((await fetch(`${url}/metrics`)).status).toBe(500);
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
  const second = createMetricsServer(createMetricsRegistry());
  await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/busy.*--metrics-port/),
  });
  await second.close();
});
