/** What a host promises while a run is in flight: it drains, it does not block, and it prints nothing. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelFile } from '../../src/base/onnx/model-file.ts';
import { SILENT } from '../../src/base/telemetry/log.ts';
import { BORROWED } from '../../src/base/tensor/owner.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { createCancelSource, NEVER_CANCELLED } from '../../src/base/util/cancel.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createEngineModel } from '../../src/engine/engine-model.ts';
import { createOnnxRuntimeEngine, type OnnxRuntimeDeps } from '../../src/engine/onnxruntime/engine.ts';
import { prepareModel } from '../../src/engine/prepare.ts';
import { createContext } from '../../src/model/context.ts';
import type { EngineInstance, EngineOptions } from '../../src/model/engine.ts';
import { createInferRequest } from '../../src/model/request.ts';
import { toArtifact } from '../../src/registry/artifact.ts';

const deps = { clock: systemClock, log: SILENT };
const PRODUCTS = fileURLToPath(new URL('fixtures/products.onnx', import.meta.url));

async function artifactOf(path: string) {
  return toArtifact(await readModelFile(path));
}

const NO_NATIVE = { ok: false, reason: 'tried without', cause: undefined } as const;

async function load(
  path: string,
  host: EngineOptions['host'],
  native: Pick<OnnxRuntimeDeps, 'tryNative'> = {},
): Promise<EngineInstance> {
  const machine = { cores: 2, memoryBytes: 2 ** 36 };
  const engine = createOnnxRuntimeEngine({ ...deps, machine, ...native });
  return engine.load(await artifactOf(path), { host, batchAxis: 'auto' });
}

/** A square matrix for `products`, whose run takes its size to the third power. */
function matrix(size: number): Tensor {
  return {
    name: 'a',
    datatype: 'FP32',
    shape: [size, size],
    data: new Float32Array(size * size).fill(1 / size),
  };
}

describe('hosts', () => {
  it('finish what runs before a thread leaves, and do not abort', async () => {
    const instance = await load(PRODUCTS, 'thread');
    const model = createEngineModel({
      ...{ artifact: { contentHash: '' }, instance, name: 'products', version: '1', ...deps },
    });
    const cancel = createCancelSource();
    const request = createInferRequest({ model: 'products', inputs: [matrix(1024)] });
    const running = [0, 1].map(() => model.infer(request, createContext()));
    const dropped = model.infer(request, createContext({ cancel }));
    cancel.cancel('client-left');
    await expect(dropped).rejects.toMatchObject({ code: 'CANCELLED' });
    const closed = model.close({ graceMs: 60_000 });
    for (const { outputs } of await Promise.all(running)) {
      expect((outputs[0]!.data as Float32Array)[0]).toBeCloseTo(1024, 1);
    }
    await closed;
  });

  it('drain a run that is in flight when nobody waits for it any more', async () => {
    const instance = await load(PRODUCTS, 'thread');
    const lease = instance.tryAcquire()!;
    const running = instance.run(
      lease,
      { inputs: [matrix(1024)], outputs: ['y'], owner: BORROWED },
      NEVER_CANCELLED,
    );
    await instance.drain();
    expect((await running).outputs).toHaveLength(1);
  });

  it('send a large request of a tiny model to a thread: others do not wait for it', async () => {
    const instance = await load(PRODUCTS, 'auto', { tryNative: async () => NO_NATIVE });
    expect(instance.host).toBe('inline');
    expect(instance.hostReason).toMatch(/; not native: tried without$/);
    const run = async (size: number) => {
      const lease = instance.tryAcquire()!;
      await instance.run(lease, { inputs: [matrix(size)], outputs: ['y'], owner: BORROWED }, NEVER_CANCELLED);
      lease.release();
      return size;
    };
    const order: number[] = [];
    const note = (size: number) => void order.push(size);
    await Promise.all([run(1024).then(note), run(2).then(note), run(3).then(note)]);
    expect(order).toEqual([2, 3, 1024]);
    await instance.drain();
  });

  it.each(['inline', 'auto'] as const)('take no long run at once (%s)', async (host) => {
    const instance = await load(PRODUCTS, host);
    const asked = (size: number) => ({ inputs: [matrix(size)], outputs: ['y'], owner: BORROWED });
    const run = async (size: number) => {
      const lease = instance.tryAcquire()!;
      await instance.run(lease, asked(size), NEVER_CANCELLED);
      lease.release();
    };
    for (let again = 0; again < 20; again++) await run(2);
    // Of a size never seen, and of one that was seen to take long.
    expect(instance.runNow?.(asked(1024))).toBeUndefined();
    await run(1024);
    expect(instance.runNow?.(asked(1024))).toBeUndefined();
    expect(instance.runNow?.(asked(2))?.outputs).toHaveLength(1);
    await instance.drain();
  });

  it('take nothing at once that runs elsewhere', async () => {
    const instance = await load(PRODUCTS, 'thread');
    expect(instance).not.toHaveProperty('runNow');
    await instance.drain();
  });

  it.each(['dynamic_quant', 'row_mixing'])('serve %s unbatched', async (name) => {
    const path = fileURLToPath(new URL(`../fixtures/${name}.onnx`, import.meta.url));
    const { model, notes } = await prepareModel(
      {
        ...{ name, version: '1', artifact: await artifactOf(path) },
        engine: createOnnxRuntimeEngine(deps),
        options: { host: 'inline', batchAxis: 'auto' },
      },
      deps,
    );
    expect(model.signature.batchAxis).toBe('none');
    expect(notes.batchAxis).toContain('rows influence each other');
    await model.close({ graceMs: 1000 });
  });

  it('print nothing of their own, on load, refusal and failure, and let the process end by itself', () => {
    const script = fileURLToPath(new URL('fixtures/quiet.mjs', import.meta.url));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: '', stderr: '' });
  });
});
