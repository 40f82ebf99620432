/** Tensors whose names mean something to JavaScript's objects. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { BORROWED } from '../../src/base/tensor/owner.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { openOrtSession } from '../../src/engine/onnxruntime/session.ts';
import { createServer, type RunningServer } from '../../src/server.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.onnx`, import.meta.url));

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 0 }));

async function post(path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${server!.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.json();
}

describe('inputs valueOf and hasOwnProperty, outputs constructor and toString', () => {
  it.each(['inline', 'thread', 'process'] as const)('are served on the host %s', async (host) => {
    server = await createServer({
      ...{ models: [fixture('object_names')], httpPort: 0, metricsPort: false },
      engine: { host, instances: 1 },
    });
    const [served] = server.registry.list();
    expect(served!.notes.batchAxis).toMatch(/^0:/);
    expect(await post('/v1/predict', { valueOf: [1, 2], hasOwnProperty: [3, 4] })).toEqual({
      ...{ model: 'object_names', version: '1' },
      outputs: { constructor: [-1, -2], toString: [-3, -4] },
    });
    const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [1], data: [5] });
    for (const output of ['constructor', 'toString']) {
      const asked = { inputs: [tensor('valueOf'), tensor('hasOwnProperty')], outputs: [{ name: output }] };
      expect(await post('/v2/models/object_names/infer', asked)).toMatchObject({
        outputs: [{ name: output, data: [-5] }],
      });
    }
    const openapi = await (await fetch(`${server.url}/openapi.json`)).text();
    expect(openapi).not.toContain('"labels":{"constructor"');
  });

  it('are asked for one by one through the public API of the package, too', async () => {
    const source = { path: fixture('object_names'), intraOpThreads: 1 };
    const session = await openOrtSession(source, systemClock, () => undefined);
    const one = (name: string): Tensor => ({ name, datatype: 'FP32', shape: [1], data: Float32Array.of(5) });
    const { outputs } = await session.run({
      ...{ inputs: [one('valueOf'), one('hasOwnProperty')], outputs: ['toString'], owner: BORROWED },
    });
    expect(outputs).toEqual([{ ...one('toString'), data: Float32Array.of(-5) }]);
    await session.close();
  });
});

it.each([
  ['proto_input', "inputs[0]: input '__proto__'"],
  ['proto_output', "outputs[0]: output '__proto__'"],
])('%s: a tensor called __proto__ is refused at load', async (name, what) => {
  const models = [fixture(name)];
  await expect(createServer({ models, httpPort: 0, metricsPort: false })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining(`${what} has a name under which onnxruntime-node`),
  });
});
