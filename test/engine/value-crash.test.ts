/** Values that end ONNX Runtime's process must not end the server. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { readModelFile } from '../../src/base/onnx/model-file.ts';
import { type Logger, SILENT } from '../../src/base/telemetry/log.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createOnnxRuntimeEngine } from '../../src/engine/onnxruntime/engine.ts';
import { toArtifact } from '../../src/registry/artifact.ts';
import { createServer, type RunningServer } from '../../src/server.ts';

const DIVIDE = fileURLToPath(new URL('fixtures/divide.onnx', import.meta.url));

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 0 }));

async function divide(a: number, b: number): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${server!.url}/v1/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ a: [a], b: [b] }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

describe('an integer division whose operands a request brings', () => {
  it('is served in processes by itself, and the smallest number by -1 ends only one of those', async () => {
    server = await createServer({
      ...{ models: [DIVIDE], httpPort: 0, metricsPort: false },
      engine: { instances: 1 },
    });
    const [served] = server.registry.list();
    expect(served!.notes.host).toMatch(/^process: some values .* in the operator Div; 1 process$/);
    expect(await divide(7, 2)).toMatchObject({ status: 200 });
    expect(await divide(-(2 ** 31), -1)).toMatchObject({ status: 503, body: { code: 'ENGINE_CRASHED' } });
    await expect.poll(async () => (await divide(-8, 2)).status, { timeout: 20_000 }).toBe(200);
    expect(await divide(1, 0)).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
  });

  it.each(['inline', 'thread'] as const)(
    'runs on the host %s where that is configured, with a warning',
    async (host) => {
      const warned: unknown[] = [];
      const log: Logger = { ...SILENT, warn: (...said: unknown[]) => warned.push(said) };
      const engine = createOnnxRuntimeEngine({ clock: systemClock, log });
      const artifact = await toArtifact(await readModelFile(DIVIDE));
      const instance = await engine.load(artifact, { host, batchAxis: 'auto', instances: 1 });
      expect(instance.host).toBe(host);
      await instance.drain();
      expect(warned).toEqual([
        [{ path: DIVIDE, host }, expect.stringMatching(/end the server.*Div.*'process'/)],
      ]);
    },
  );
});
