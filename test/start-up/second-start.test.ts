/** What a start leaves for the next one on the same machine, and what that takes of it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNimify } from '../support/nimify.ts';

const IRIS = join(import.meta.dirname, '../../examples/demo/iris/model.onnx');
const ROW = { inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }] };

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'nimify-second-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

/** Serves iris until it has answered once; gives the answer and what the metadata say of the host. */
async function serveOnce(env: Readonly<Record<string, string>> = {}) {
  const ports = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
  const running = startNimify(['serve', IRIS, '--model-name', 'iris', ...ports, '--log-level', 'error'], {
    env: { XDG_CACHE_HOME: cache, ...env },
  });
  const [, url = ''] = await running.printed(/serves 1 model at (\S+)/);
  const answer = await fetch(`${url}/v2/models/iris/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ROW),
  });
  const { outputs } = (await answer.json()) as { outputs: unknown };
  const { parameters } = (await (await fetch(`${url}/v2/models/iris`)).json()) as {
    parameters: Record<string, string>;
  };
  running.process.kill('SIGTERM');
  expect((await running.finished).exitCode).toBe(0);
  return { outputs, parameters };
}

const kept = (part: string) =>
  readdirSync(join(cache, 'nimify', part)).map((name) => join(cache, 'nimify', part, name));

describe.runIf(process.platform === 'linux')('a second start', () => {
  it('takes over what the first compiled and measured, and answers the same', async () => {
    const first = await serveOnce();
    expect(kept('code').length).toBeGreaterThan(2);
    expect(kept('loads').length).toBe(1);
    expect(kept('native').map((path) => JSON.parse(readFileSync(path, 'utf8')).measured)).toEqual(['passed']);
    const before = kept('code').map((path) => statSync(path).ino);
    const second = await serveOnce();
    expect(second.outputs).toEqual(first.outputs);
    expect(second.parameters.batchAxis).toContain('measured at an earlier start');
    expect(kept('code').map((path) => statSync(path).ino)).toEqual(before);
  });

  it('does without what somebody has damaged', async () => {
    const first = await serveOnce();
    for (const path of [...kept('code'), ...kept('loads'), ...kept('native')]) {
      const bytes = readFileSync(path);
      bytes.fill(0x7b, Math.floor(bytes.length / 2));
      writeFileSync(path, bytes);
    }
    const second = await serveOnce();
    expect(second.outputs).toEqual(first.outputs);
    expect(second.parameters.batchAxis).not.toContain('earlier start');
  });

  it('leaves the native host alone where its self-test has taken processes down', async () => {
    const first = await serveOnce();
    expect(first.parameters.host).toMatch(/^native/);
    const [path = ''] = kept('native');
    const proof = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...proof, measured: { begun: 2, atMs: 1 } }));
    for (let start = 0; start < 2; start++) {
      const { outputs, parameters } = await serveOnce();
      expect(outputs).toEqual(first.outputs);
      expect(parameters.host).toMatch(/not native: 2 processes ended within the self-test/);
    }
  });

  it("keeps no code where Node's own variable says so", async () => {
    await serveOnce({ NODE_DISABLE_COMPILE_CACHE: '1' });
    expect(readdirSync(join(cache, 'nimify'))).not.toContain('code');
  });
});
