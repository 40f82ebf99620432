/** Batches of real models: the answers that requests get by themselves, on a thread and on the main thread. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { readModelFile } from '../../src/base/onnx/model-file.ts';
import { SILENT } from '../../src/base/telemetry/log.ts';
import { concatRows } from '../../src/base/tensor/rows.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { compareTensors } from '../../src/engine/compare.ts';
import { createOnnxRuntimeEngine } from '../../src/engine/onnxruntime/engine.ts';
import { prepareModel } from '../../src/engine/prepare.ts';
import { createContext } from '../../src/model/context.ts';
import type { Model } from '../../src/model/contract.ts';
import { createInferRequest } from '../../src/model/request.ts';
import { createBatching } from '../../src/policy/batching/batching.ts';
import { createCostModel } from '../../src/policy/batching/cost-model.ts';
import { toArtifact } from '../../src/registry/artifact.ts';
import { describeWith, MODELS } from '../require.ts';

const deps = { clock: systemClock, log: SILENT };
const HOSTS = ['thread', 'inline'] as const;
const open: Model[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close({ graceMs: 60_000 })));
});

/** The model by itself, and with a batcher around it that notes its runs. */
async function prepare(name: string, host: 'inline' | 'thread') {
  const artifact = await toArtifact(await readModelFile(join(MODELS, name, 'model.onnx')));
  const engine = createOnnxRuntimeEngine({ ...deps, machine: { cores: 2, memoryBytes: 2 ** 36 } });
  const options = { host, batchAxis: 'auto', instances: 1, intraOpThreads: 1 } as const;
  const { model, example } = await prepareModel({ name, version: '1', artifact, engine, options }, deps);
  const runs: number[] = [];
  const instruments = { ran: (rows: number) => void runs.push(rows), refused() {} };
  const batching = createBatching(
    { ...deps, costs: createCostModel(), instruments },
    { slots: 1, maxBatchRows: 16 },
  );
  const batched = batching(model);
  open.push(batched);
  return { model, batched, runs, example: example?.inputs ?? expect.unreachable('no example was found') };
}

async function ask(model: Model, inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
  const { outputs, owner } = await model.infer(
    createInferRequest({ model: model.name, inputs }),
    createContext(),
  );
  const copies = structuredClone(outputs);
  owner.release();
  return copies;
}

/** All at once. */
async function askAll(model: Model, requests: readonly (readonly Tensor[])[]) {
  return Promise.all(requests.map((inputs) => ask(model, inputs)));
}

describeWith(['data'], 'batches of real models', () => {
  it.each(HOSTS)('own_iris_rf: each gets the answer to its own rows (%s)', async (host) => {
    const { model, batched, runs } = await prepare('own_iris_rf', host);
    const { rows } = JSON.parse(readFileSync(join(MODELS, 'own_iris_rf/expected.json'), 'utf8')) as {
      rows: number[][];
    };
    const name = model.signature.inputs[0]!.name;
    const requests = Array.from({ length: 60 }, (_, at) => {
      const count = 1 + (at % 5);
      const values = Array.from({ length: count }, (_, row) => rows[(at + 3 * row) % rows.length]!).flat();
      return [{ name, datatype: 'FP32' as const, shape: [count, 4], data: Float32Array.from(values) }];
    });
    const alone = [];
    for (const inputs of requests) alone.push(await ask(model, inputs));
    expect(await askAll(batched, requests)).toEqual(alone);
    // The first by itself, to learn what a run takes; then as many together as fit.
    expect(Math.max(...runs)).toBeGreaterThan(5);
    expect(runs.reduce((sum, each) => sum + each, 0)).toBe(180);
  });

  it.each(HOSTS)(
    'own_churn_mixed and own_langid: several inputs, texts, rows that are split (%s)',
    async (host) => {
      for (const name of ['own_churn_mixed', 'own_langid']) {
        const { model, batched, runs, example } = await prepare(name, host);
        const times = (count: number) =>
          example.map((input) => concatRows(Array.from({ length: count }, () => input)));
        const requests = [1, 3, 40, 2, 1, 16, 5].map(times);
        const alone = [];
        for (const inputs of requests) alone.push(await ask(model, inputs));
        const together = await askAll(batched, requests);
        // Within the tolerance of the proof that rows are independent: sums are taken in another order.
        const same = alone.map((outputs, at) =>
          outputs.map((each, which) => compareTensors(each, together[at]![which]!)),
        );
        expect(new Set(same.flat())).toEqual(new Set(['same']));
        expect(Math.max(...runs)).toBe(16);
      }
    },
  );
});
