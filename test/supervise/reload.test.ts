import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { askIris, askIrisUntil, IRIS, SLOW } from '../chaos/models.ts';
import { type Running, startNimify } from '../support/nimify.ts';

const PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];

const folder = mkdtempSync(join(tmpdir(), 'nimify-reload-'));
afterAll(() => rmSync(folder, { recursive: true }));

let running: Running | undefined;
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
});

function configure(...lines: readonly string[]): void {
  writeFileSync(join(folder, 'nimify.yaml'), lines.join('\n'));
}

const model = (path: string, name: string, more = '') => `  - {path: ${path}, name: ${name}${more}}`;

async function serve(...flags: readonly string[]): Promise<string> {
  running = startNimify(['serve', ...flags, ...PORTS], { isInstalled: true, cwd: folder });
  const [, url = ''] = await running.printed(/serves .* at (\S+)/);
  return url;
}

async function served(url: string): Promise<readonly string[]> {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: readonly { id: string }[] };
  return data.map(({ id }) => id);
}

async function reload(url: string): Promise<readonly [number, Record<string, unknown>]> {
  const answer = await fetch(`${url}/admin/reload`, { method: 'POST' });
  return [answer.status, (await answer.json()) as Record<string, unknown>];
}

describe.runIf(process.platform === 'linux')('a configuration that changes', () => {
  it('is taken up whole by SIGHUP and by request, or not at all', async () => {
    configure('models:', model(IRIS.path, 'iris'), model(SLOW.path, 'slow'));
    const url = await serve();
    expect(await served(url)).toEqual(['iris', 'slow']);

    configure('models:', model(IRIS.path, 'iris'), model(IRIS.path, 'flower', ', timeoutMs: 500'));
    const done = running!.logged(/read again and holds/);
    running!.process.kill('SIGHUP');
    expect([...(await askIrisUntil(url, done))]).toEqual([200]);
    expect(await served(url)).toEqual(['flower', 'iris']);

    // One of these could be loaded; none is.
    writeFileSync(join(folder, 'broken.onnx'), 'no model');
    configure('models:', model(SLOW.path, 'slow'), model('broken.onnx', 'broken'));
    expect((await reload(url))[0]).toBe(400);
    configure('models:', model(SLOW.path, 'slow'), 'srever: {}');
    expect(await reload(url)).toMatchObject([409, { error: expect.stringMatching(/srever/) }]);
    configure('server: {maxBodyBytes: 1MiB}', 'models:', model(SLOW.path, 'slow'));
    expect(await reload(url)).toMatchObject([
      409,
      { code: 'CONFLICT', error: expect.stringMatching(/server.maxBodyBytes: cannot be changed/) },
    ]);
    expect(await served(url)).toEqual(['flower', 'iris']);
    expect((await (await fetch(`${url}/v2/health/ready`)).json()) as object).toEqual({ ready: true });

    // A server that takes this one's place is what this one was.
    const { pid } = running!.process;
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')), 'SIGKILL');
    await running!.logged(/"restarts":1/);
    await expect.poll(() => askIris(url)).toBe(200);
    expect(await served(url)).toEqual(['flower', 'iris']);

    configure('models:', model(IRIS.path, 'iris'));
    expect(await reload(url)).toEqual([200, { loaded: [], removed: ['flower'] }]);
    expect(await served(url)).toEqual(['iris']);
  });
});

describe.runIf(process.platform !== 'win32')('a pause before the drain', () => {
  it('takes requests for a while after SIGTERM, unready, and ends their connections', async () => {
    configure('models:', model(IRIS.path, 'iris'));
    const url = await serve('--drain-pause-ms', '2s');
    running!.process.kill('SIGTERM');
    await running!.logged(/draining/);
    const ready = await fetch(`${url}/v1/health/ready`);
    expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close']);
    await ready.arrayBuffer();
    expect(await askIris(url)).toBe(200);
    expect(await running!.finished).toMatchObject({ exitCode: 0 });
  });
});
