/**
 * What a server loads. Start-up time and idle memory are measured by `npm run bench`; what they hang on is held here:
 * a start loads few files, and no package that it can do without.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { startNimify } from '../support/nimify.ts';

const IRIS = join(import.meta.dirname, '../../examples/demo/iris/model.onnx');
const ROW = { inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }] };

const folder = mkdtempSync(join(tmpdir(), 'nimify-loaded-'));
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Serves iris, lets `use` ask it, and lists every script that the server's process has loaded by its end. */
async function loadedBy(use: (url: string) => Promise<void>): Promise<readonly string[]> {
  const ports = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];
  const args = ['serve', IRIS, '--model-name', 'iris', ...ports];
  const running = startNimify([...args, '--log-level', 'error'], {
    cwd: folder,
    // Node writes the scripts that it has run to this folder, CommonJS and modules alike.
    env: { NODE_V8_COVERAGE: folder },
  });
  const [, url = ''] = await running.printed(/serves 1 model at (\S+)/);
  await use(url);
  running.process.kill('SIGTERM');
  await running.finished;
  const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  return reports.flatMap((text) =>
    (JSON.parse(text) as { result: readonly { url: string }[] }).result
      .map(({ url: script }) => script)
      .filter((script) => script.startsWith('file:')),
  );
}

function packagesOf(scripts: readonly string[]): readonly string[] {
  const names = scripts.flatMap((script) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(script)?.[1] ?? []);
  return [...new Set(names)].sort();
}

async function inferAndProbe(url: string): Promise<void> {
  const answer = await fetch(`${url}/v2/models/iris/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ROW),
  });
  expect(answer.status).toBe(200);
  for (const path of ['/v2/health/live', '/v2/health/ready', '/v1/health/live', '/v1/health/ready']) {
    expect((await fetch(url + path)).status).toBe(200);
  }
}

describe('a server that is asked for inference and health', () => {
  it('loads no script of a package, and of nimify some files, not each module', async () => {
    const scripts = await loadedBy(inferAndProbe);
    // ONNX Runtime's library is called, and koffi is a binary.
    expect(packagesOf(scripts)).toEqual([]);
    const own = scripts.filter((script) => !script.includes('/node_modules/'));
    expect(own.some((script) => script.endsWith('/dist/cli/main.cjs'))).toBe(true);
    expect(own.length).toBeLessThan(15);
  });

  it('loads Fastify for the first request of another kind', async () => {
    const scripts = await loadedBy(async (url) => {
      await inferAndProbe(url);
      expect((await fetch(`${url}/v2`)).status).toBe(200);
    });
    expect(packagesOf(scripts)).toContain('fastify');
  });
});
