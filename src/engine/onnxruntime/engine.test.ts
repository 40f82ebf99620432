import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { NEVER_CANCELLED } from '../../base/util/cancel.ts';
import { systemClock } from '../../base/util/clock.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineOptions } from '../../model/engine.ts';
import type { TensorSpec } from '../../model/signature.ts';
import type { MeasuredPlan } from '../host/measure-plan.ts';
import { createRunPlaces } from '../host/run-places.ts';
import type { TuningCache } from '../host/tuning-cache.ts';
import { createOnnxRuntimeEngine } from './engine.ts';
import type { NativeVerdict } from './native/find-native.ts';

const spec = (name: string, shape: readonly number[], more: Partial<TensorSpec> = {}): TensorSpec => ({
  ...{ name, datatype: 'FP32', shape, dimensionNames: shape.map(() => undefined) },
  ...more,
});

function artifact(name: string, inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): Artifact {
  return {
    format: 'onnx',
    path: fileURLToPath(new URL(`../../../test/${name}.onnx`, import.meta.url)),
    ...{ sizeBytes: 1000, contentHash: '', batchAxisReason: '', indexLimits: {}, omitted: [], metadata: {} },
    signature: { inputs, outputs, batchAxis: 'none' },
  };
}

const deps = { clock: systemClock, log: SILENT, machine: { cores: 2, memoryBytes: 2 ** 34 } };
const engine = createOnnxRuntimeEngine(deps);
const on = (host: EngineOptions['host']): EngineOptions => ({ host, batchAxis: 'auto' });
const gather = artifact(
  'engine/fixtures/gather',
  [spec('i', [-1], { datatype: 'INT64' })],
  [spec('y', [-1, 4])],
);
const third: Tensor = { name: 'i', datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n) };

const REASONS = {
  inline: /^inline: configured$/,
  thread: /^thread: configured; 2 x 1 threads$/,
  // How long a run took at the load, and so how it is called, is the machine's to say.
  native: /^native: a run takes [\d.]+ (µs within the call|[mµ]?s; )/,
  auto: /^native: a run takes [\d.]+ (µs within the call|[mµ]?s; )/,
};

describe('createOnnxRuntimeEngine', () => {
  it.each(['inline', 'thread', 'native', 'auto'] as const)('runs on host %s', async (host) => {
    const instance = await engine.load(gather, on(host));
    expect(instance.host).toBe(host === 'auto' ? 'native' : host);
    expect(instance.hostReason).toMatch(REASONS[host]);
    const lease = instance.tryAcquire()!;
    const run = (inputs: readonly Tensor[]) =>
      instance.run(lease, { inputs, outputs: ['y'], owner: BORROWED }, NEVER_CANCELLED);
    const { outputs, computeNs } = await run([third]);
    expect(outputs).toEqual([
      { name: 'y', datatype: 'FP32', shape: [1, 4], data: Float32Array.of(8, 9, 10, 11) },
    ]);
    expect(computeNs).toBeGreaterThan(0);
    await expect(run([{ ...third, data: BigInt64Array.of(99n) }])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { operator: 'Gather' },
    });
    await instance.drain();
  });

  it('refuses outputs that would abort the process, and inputs that are no tensors', async () => {
    const int4 = artifact('fixtures/int4_output', [spec('x', [-1])], [spec('y', [-1])]);
    const sequence = artifact('fixtures/sequence_input', [], [spec('y', [-1])]);
    for (const host of ['inline', 'thread', 'native', 'auto'] as const) {
      await expect(engine.load(int4, on(host))).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: /output 'y'/,
      });
      await expect(engine.load(sequence, on(host))).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: /is no tensor/,
      });
    }
  });

  it('refuses a model without an output that it can give', async () => {
    await expect(
      engine.load(artifact('fixtures/zipmap_only', [spec('x', [-1, 2])], []), on('inline')),
    ).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });

  it('does not offer inputs with a default, which onnxruntime-node would ignore', async () => {
    const optional = artifact(
      'fixtures/optional_input',
      [spec('x', [-1, 2]), spec('factor', [], { optional: true })],
      [spec('y', [-1, 2])],
    );
    const instance = await engine.load(optional, on('inline'));
    expect(instance.signature.inputs.map((input) => input.name)).toEqual(['x']);
    await instance.drain();
  });

  it('runs elsewhere where no example is known', async () => {
    const picky = artifact('engine/fixtures/reshape', [spec('a', [4])], [spec('y', [-1, 3])]);
    const instance = await engine.load(picky, on('auto'));
    expect(instance.hostReason).toMatch(/^native: no example request is known.*2 x 1 threads$/);
    expect(instance.slots).toBe(2);
    await instance.drain();
  });

  const verdicts: readonly [string, NativeVerdict][] = [
    ['the library is another', { ok: false, reason: 'the library is another', cause: undefined }],
    [
      "libuv's pool has room for 1 of 2 runs at once; set UV_THREADPOOL_SIZE to 6 or more",
      { ok: true, places: createRunPlaces(1) },
    ],
  ];
  it.each(verdicts)('does without the native host where %s', async (why, verdict) => {
    const picky = artifact('engine/fixtures/reshape', [spec('a', [4])], [spec('y', [-1, 3])]);
    const without = createOnnxRuntimeEngine({ ...deps, tryNative: async () => verdict });
    const instance = await without.load(picky, on('auto'));
    expect(instance.hostReason).toBe(
      `thread: no example request is known, so the time of a run is not; not native: ${why}; 2 x 1 threads`,
    );
    await instance.drain();
  });

  it('divides the cores as was measured, unless it was told how', async () => {
    const known: readonly MeasuredPlan[] = [
      { instances: 2, intraOpThreads: 1, latencyNs: 2e6, throughputPerS: 1000 },
      { instances: 1, intraOpThreads: 2, latencyNs: 1e6, throughputPerS: 900 },
    ];
    const products = artifact('engine/fixtures/products', [spec('a', [-1, -1])], [spec('y', [-1, -1])]);
    const hostReason = async (kept: readonly MeasuredPlan[] | undefined, more: Partial<EngineOptions>) => {
      const tunings: TuningCache = { read: async () => kept, write: async () => undefined };
      const options: EngineOptions = { ...on('thread'), tune: 'auto', target: 'latency', ...more };
      const instance = await createOnnxRuntimeEngine({ ...deps, tunings }).load(products, options);
      await instance.drain();
      return instance.hostReason;
    };
    expect(await hostReason(known, {})).toMatch(
      /; 1 x 2 threads \(measured at an earlier start, for latency: /,
    );
    // On a machine that does other things as well, nothing can be compared.
    expect(await hostReason(undefined, {})).toMatch(/ threads \((measured, for latency|not compared): /);
    expect(await hostReason(known, { instances: 2 })).toBe('thread: configured; 2 x 1 threads');
    expect(await hostReason(known, { tune: 'off' })).toBe('thread: configured; 2 x 1 threads');
  });

  it('has no native host for execution providers', async () => {
    const options: EngineOptions = { ...on('native'), providers: ['webgpu', 'cpu'] };
    await expect(engine.load(gather, options)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const instance = await engine.load(gather, { ...on('native'), providers: ['cpu'] });
    expect(instance.host).toBe('native');
    await instance.drain();
  });

  it('passes on from a thread why a file is refused', async () => {
    const broken = artifact('fixtures/truncated', [spec('x', [-1])], [spec('y', [-1])]);
    await expect(engine.load(broken, on('thread'))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('cut short'),
      cause: expect.any(Error),
    });
  });
});
