/** The documentation page in a real browser that can reach nothing but the server. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';
import { chromiumPath, describeWith } from '../require.ts';

const DEMO = join(import.meta.dirname, '../../examples/demo');

describeWith(['chromium'], 'the documentation page', () => {
  const profile = mkdtempSync(join(tmpdir(), 'nimify-chromium-'));
  let server: RunningServer;

  beforeAll(async () => {
    server = await createServer({ models: [DEMO], httpPort: 0, metricsPort: false });
  });

  afterAll(async () => {
    await server?.close();
    rmSync(profile, { recursive: true, force: true });
  });

  it('shows the routes of the models that are served, without the internet', async () => {
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      `--user-data-dir=${profile}`,
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
      '--virtual-time-budget=15000',
      '--dump-dom',
    ];
    const { stdout } = await promisify(execFile)(chromiumPath() ?? '', [...flags, `${server.url}/docs`], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const paths = [...stdout.matchAll(/data-path="([^"]*)"/g)].map((match) => match[1]);
    expect(paths).toEqual(
      expect.arrayContaining(['/v1/predict', '/v2/health/ready', ...served('/v2/models/', '/infer')]),
    );
    expect(paths).toEqual(expect.arrayContaining(served('/v1/models/', ':predict')));
  });
});

function served(before: string, after: string): string[] {
  return ['churn', 'digits', 'iris', 'langid'].map((name) => `${before}${name}${after}`);
}
