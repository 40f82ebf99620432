import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { askIris, IRIS } from '../chaos/models.ts';
import { type Running, startNimify } from '../support/nimify.ts';

const PORTS = ['--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'];

const folder = mkdtempSync(join(tmpdir(), 'nimify-health-'));
afterAll(() => rmSync(folder, { recursive: true }));

let running: Running | undefined;
afterEach(async () => {
  running?.process.kill('SIGKILL');
  await running?.finished;
});

function start(yaml: string): Running {
  writeFileSync(join(folder, 'broken.onnx'), 'no model');
  writeFileSync(join(folder, 'nimify.yaml'), yaml);
  running = startNimify(['serve', ...PORTS], { cwd: folder });
  return running;
}

const MODELS = `models: [{path: ${IRIS.path}, name: iris}, {path: broken.onnx, required: `;

describe('health', () => {
  it('tells of a model that is not required and does not answer, and the server goes on for the others', async () => {
    const [, url = ''] = await start(`${MODELS}false}]`).printed(/serves 1 model at (\S+)/);
    const impaired = { state: 'degraded', impaired: ['broken'] };
    const [oip, nim] = await Promise.all(['/v2', '/v1'].map((api) => fetch(`${url}${api}/health/ready`)));
    expect([oip?.status, await oip?.json()]).toEqual([200, { ready: true, ...impaired }]);
    expect([nim?.status, await nim?.json()]).toEqual([
      200,
      { object: 'health.response', message: 'Service is ready.', ...impaired },
    ]);
    const metrics = await (await fetch(`${url}/v1/metrics`)).text();
    expect(metrics).toContain('nimify_server_state{state="degraded"} 1');
    expect(metrics).toContain('nimify_model_state{model="iris",version="1",state="ready"} 1');
    expect(await askIris(url)).toBe(200);
    expect((await fetch(`${url}/v2/models/broken/ready`)).status).toBe(400);
  });

  it('does not begin without a model that is required', async () => {
    expect((await start(`${MODELS}true}]`).finished).exitCode).not.toBe(0);
  });
});
