import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../src/base/util/clock.ts';
import { createFakeClock } from '../src/base/util/fake-clock.ts';
import { createServer, type RunningServer, type ServerOptions } from '../src/server.ts';

/** Takes one number, and tens of milliseconds. */
const SLOW = fileURLToPath(new URL('fixtures/slow.onnx', import.meta.url));
const ON_A_THREAD = { host: 'thread', instances: 1, intraOpThreads: 1 } as const;

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 0 }));

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  server = await createServer({
    ...{ models: [SLOW], httpPort: 0, metricsPort: 0, engine: ON_A_THREAD },
    ...options,
  });
  return server;
}

async function ask({ url }: RunningServer): Promise<number> {
  const { status } = await fetch(`${url}/v1/predict`, {
    method: 'POST',
    body: '{"x":[2.5]}',
    headers: JSON_BODY,
  });
  return status;
}

const JSON_BODY = { 'content-type': 'application/json' };

describe('createServer', () => {
  it('serves until it is closed, on both ports', async () => {
    const running = await start();
    expect(await ask(running)).toBe(200);
    const metrics = await (await fetch(`${running.metricsUrl}/metrics`)).text();
    expect(metrics).toContain(
      'nimify_requests_total{model="slow",version="1",route="/v1/predict",code="OK"} 1',
    );
    const closing = running.close();
    expect(running.close()).toBe(closing);
    await closing;
    await expect(ask(running)).rejects.toThrow();
    await expect(fetch(`${running.metricsUrl}/health`)).rejects.toThrow();
  });

  it('keeps a loop off the main thread however short it was', async () => {
    const { registry } = await start({ engine: {} });
    expect(registry.find('slow').notes.host).toMatch(/^native: how long Loop takes depends on the values/);
  });

  it('gives the models what the requests left of the grace period', async () => {
    const clock = createFakeClock();
    const delaysMs: number[] = [];
    const recording: Clock = {
      ...clock,
      setTimer(callback, delayMs) {
        delaysMs.push(delayMs);
        return clock.setTimer(callback, delayMs);
      },
    };
    const running = await start({ clock: recording });
    const answers = [ask(running), ask(running), ask(running)];
    await Promise.race(answers);
    delaysMs.length = 0;
    const closing = running.close({ graceMs: 1000 });
    clock.advance(600);
    expect(await Promise.all(answers)).toEqual([200, 200, 200]);
    await closing;
    // The ports get the whole; the queue and the engine what is left. The deadline of a request that waits is none of it.
    expect(delaysMs.filter((delayMs) => delayMs <= 1000)).toEqual([1000, 400, 400]);
  });
});

describe('createServer with a model that cannot be served', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nimify-server-'));
    copyFileSync(SLOW, join(folder, 'slow.onnx'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['labels.json', '{"nope": ["a"]}', "'nope' is no output"],
    ['example.json', '{"inputs": {"nope": 1}}', 'has no such input'],
  ])('leaves no thread behind where its %s does not fit', async (name, text, message) => {
    writeFileSync(join(folder, name), text);
    const threads = countThreads();
    await expect(start({ models: [folder] })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
    expect(countThreads()).toBe(threads);
  });
});

function countThreads(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort').length;
}
