/** What the native host promises: one session for all runs, ends of runs that nobody waits for, and memory that stays. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readModelFile } from '../../src/base/onnx/model-file.ts';
import { SILENT } from '../../src/base/telemetry/log.ts';
import { BORROWED } from '../../src/base/tensor/owner.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { createCancelSource, NEVER_CANCELLED } from '../../src/base/util/cancel.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createEngineModel } from '../../src/engine/engine-model.ts';
import { createOnnxRuntimeEngine } from '../../src/engine/onnxruntime/engine.ts';
import { createContext } from '../../src/model/context.ts';
import type { EngineInstance } from '../../src/model/engine.ts';
import { createInferRequest } from '../../src/model/request.ts';
import { createDeadline } from '../../src/policy/deadline/deadline.ts';
import { toArtifact } from '../../src/registry/artifact.ts';

const deps = { clock: systemClock, log: SILENT };
const PRODUCTS = fileURLToPath(new URL('fixtures/products.onnx', import.meta.url));
const SLOW = fileURLToPath(new URL('../fixtures/slow.onnx', import.meta.url));

async function load(path: string): Promise<EngineInstance> {
  const engine = createOnnxRuntimeEngine({ ...deps, machine: { cores: 2, memoryBytes: 2 ** 36 } });
  return engine.load(await toArtifact(await readModelFile(path)), { host: 'native', batchAxis: 'auto' });
}

function modelOf(instance: EngineInstance) {
  return createEngineModel({ artifact: { contentHash: '' }, instance, name: 'm', version: '1', ...deps });
}

/** A square matrix for `products`, whose run takes its size to the third power. */
function matrix(size: number): Tensor {
  const data = new Float32Array(size * size).fill(1 / size);
  return { name: 'a', datatype: 'FP32', shape: [size, size], data };
}

async function run(instance: EngineInstance, size: number, cancel = NEVER_CANCELLED): Promise<number> {
  const lease = instance.tryAcquire()!;
  try {
    const request = { inputs: [matrix(size)], outputs: ['y'], owner: BORROWED };
    const { outputs } = await instance.run(lease, request, cancel);
    return (outputs[0]!.data as Float32Array)[0]!;
  } finally {
    lease.release();
  }
}

describe('the native host', () => {
  it('takes long runs elsewhere, several at once, and short ones within the call', async () => {
    const instance = await load(PRODUCTS);
    expect(instance).toMatchObject({ host: 'native', slots: 2 });
    expect(instance.hostReason).toMatch(/^native: a run takes .* within the call/);
    const order: number[] = [];
    const note = (size: number) => run(instance, size).then(() => order.push(size));
    const long = note(1200);
    await note(2);
    await note(400);
    expect(order).toEqual([2, 400]);
    await long;
    const asked = (size: number) => ({ inputs: [matrix(size)], outputs: ['y'], owner: BORROWED });
    expect(instance.runNow?.(asked(1200))).toBeUndefined();
    expect(instance.runNow?.(asked(2))?.outputs[0]?.data).toEqual(Float32Array.of(2));
    await instance.drain();
  });

  it('runs elsewhere what depends on values', async () => {
    const instance = await load(SLOW);
    expect(instance.hostReason).toMatch(/^native: how long Loop takes depends .*; 2 x 1 threads$/);
    expect(instance).not.toHaveProperty('runNow');
    await instance.drain();
  });

  it.each([
    ['client-left', 'CANCELLED'],
    ['deadline', 'DEADLINE_EXCEEDED'],
  ] as const)('ends a run that nobody waits for (%s), and goes on with the session', async (reason, code) => {
    const instance = await load(PRODUCTS);
    const cancel = createCancelSource();
    const ended = run(instance, 1500, cancel);
    setTimeout(() => cancel.cancel(reason), 10);
    await expect(ended).rejects.toMatchObject({ code });
    expect(await run(instance, 256)).toBe(256);
    await instance.drain();
  });

  it('ends a run at its deadline, and lends its slot again then', async () => {
    const instance = await load(PRODUCTS);
    const model = createDeadline(deps, { defaultTimeoutMs: 60_000 })(modelOf(instance));
    const request = createInferRequest({ model: 'm', inputs: [matrix(1500)] });
    const late = [0, 1].map(() =>
      model.infer(request, createContext({ deadlineAtNs: systemClock.nowNs() + 30e6 })),
    );
    for (const one of late) await expect(one).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const { outputs } = await model.infer(
      createInferRequest({ model: 'm', inputs: [matrix(256)] }),
      createContext(),
    );
    expect(outputs[0]!.data).toEqual(Float32Array.of(256));
    await model.close({ graceMs: 60_000 });
  });

  it('drains runs in flight', async () => {
    const instance = await load(PRODUCTS);
    const runs = [run(instance, 1024), run(instance, 4)];
    await instance.drain();
    expect(await Promise.all(runs)).toEqual([1024, 4]);
  });

  it('keeps what native code reads and writes from being collected', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const instance = await load(PRODUCTS);
    for (let round = 0; round < 15; round++) {
      const sizes = [150 + round, 180 + round];
      const runs = sizes.map((size) => run(instance, size));
      for (let again = 0; again < 3; again++) {
        // What is taken now would be given the memory that was freed wrongly.
        const garbage = Array.from({ length: 40 }, () => new Float32Array(180 * 180).fill(Number.NaN));
        collect();
        expect(garbage).toHaveLength(40);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await Promise.all(runs)).toEqual(sizes.map((size) => expect.closeTo(size, 0)));
    }
    await instance.drain();
  });

  it('lets the process end by itself, and at once where it is told to during a run', () => {
    const script = fileURLToPath(new URL('fixtures/native-exit.mjs', import.meta.url));
    for (const [how, status] of [
      ['by-itself', 0],
      ['exit', 7],
      ['throw', 1],
    ] as const) {
      const ended = spawnSync(process.execPath, [script, how], { encoding: 'utf8' });
      expect({ how, status: ended.status, signal: ended.signal }).toEqual({ how, status, signal: null });
    }
  });
});
