/** Real models on the hosts within the process: the same answers, the expected host and batch axis, many requests at once. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { readModelFile } from '../../src/base/onnx/model-file.ts';
import { SILENT } from '../../src/base/telemetry/log.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createOnnxRuntimeEngine } from '../../src/engine/onnxruntime/engine.ts';
import { type PreparedModel, prepareModel } from '../../src/engine/prepare.ts';
import { createContext, type RequestContext } from '../../src/model/context.ts';
import type { Model } from '../../src/model/contract.ts';
import type { EngineOptions } from '../../src/model/engine.ts';
import { createInferRequest, type InferResponse } from '../../src/model/request.ts';
import { toArtifact } from '../../src/registry/artifact.ts';
import { describeWith, MODELS } from '../require.ts';

const deps = { clock: systemClock, log: SILENT };
const open: Model[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close({ graceMs: 60_000 })));
});

async function prepare(name: string, options: Partial<EngineOptions> = {}): Promise<PreparedModel> {
  const artifact = await toArtifact(await readModelFile(join(MODELS, name)));
  const engine = createOnnxRuntimeEngine({ ...deps, machine: { cores: 2, memoryBytes: 2 ** 36 } });
  const prepared = await prepareModel(
    { name, version: '1', artifact, engine, options: { host: 'auto', batchAxis: 'auto', ...options } },
    deps,
  );
  open.push(prepared.model);
  return prepared;
}

async function ask(model: Model, inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
  return (await model.infer(createInferRequest({ model: model.name, inputs }), createContext())).outputs;
}

/** At once, as soon as enough runs have shown that they are short: the first ones pay for set-up. */
async function askNow(
  model: Model,
  inputs: readonly Tensor[],
  context: RequestContext,
): Promise<InferResponse> {
  for (let again = 0; again < 100; again++) {
    const now = model.inferNow?.(createInferRequest({ model: model.name, inputs }), context);
    if (now !== undefined) return now;
    await ask(model, inputs);
  }
  return expect.unreachable('no answer was given at once');
}

describeWith(['data'], 'real models', () => {
  it.each([
    'mnist/model.onnx',
    'mnist/model.ort',
    'own_iris_rf/model.onnx',
    'own_churn_mixed/model.onnx',
    'own_langid/model.onnx',
    'own_iris_rf_zipmap/model.onnx',
    'triton_simple_string/model.onnx',
    'triton_simple_int8/model.onnx',
    'squeezenet_fp16/model.onnx',
    'light_resnet50/model.onnx',
    'magika/model.onnx',
    'silero_vad/model.onnx',
    'qa_identity/onnx_zero_1_float16/model.onnx',
    'qa_identity/onnx_zero_1_uint64/model.onnx',
    'qa_identity/onnx_scalar_1dim_float32/model.onnx',
  ])('%s answers alike on all hosts within the process', async (name) => {
    const inline = await prepare(name, { host: 'inline', intraOpThreads: 1 });
    const thread = await prepare(name, { host: 'thread', instances: 1, intraOpThreads: 1 });
    const native = await prepare(name, { host: 'native', instances: 1, intraOpThreads: 1 });
    const inputs = inline.example?.inputs ?? expect.unreachable('no example was found');
    expect(thread.example?.inputs).toEqual(inputs);
    const answer = await ask(inline.model, inputs);
    expect(await ask(thread.model, inputs)).toEqual(answer);
    for (let again = 0; again < 3; again++) expect(await ask(native.model, inputs)).toEqual(answer);
  });

  it.each<[string, 0 | 'none', RegExp]>([
    ['own_iris_rf/model.onnx', 0, /5 rows, one of them an outlier/],
    ['own_langid/model.onnx', 0, /5 rows/],
    ['magika/model.onnx', 0, /5 rows/],
    ['mnist/model.onnx', 'none', /fixed at 1/],
    ['silero_vad/model.onnx', 'none', /fixed at 2/],
    // Its attention really runs over the rows of a batch: a transformer exported with the batch in second place.
    ['dummy_transformer/model.onnx', 'none', /rows influence each other/],
  ])('%s: batch axis %s', async (name, axis, reason) => {
    const { model, notes } = await prepare(name);
    expect(model.signature.batchAxis).toBe(axis);
    expect(notes.batchAxis).toMatch(reason);
  });

  it.each([
    'own_iris_rf/model.onnx',
    'own_churn_mixed/model.onnx',
    'own_iris_rf_zipmap/model.onnx',
    'triton_simple_string/model.onnx',
    'triton_simple_int8/model.onnx',
    'qa_identity/onnx_zero_1_float16/model.onnx',
    'qa_identity/onnx_zero_1_uint64/model.onnx',
    'qa_identity/onnx_scalar_1dim_float32/model.onnx',
  ])('%s gives at once what it gives later', async (name) => {
    const { model, example } = await prepare(name, { host: 'inline' });
    const inputs = example?.inputs ?? expect.unreachable('no example was found');
    const later = await ask(model, inputs);
    const context = createContext();
    const now = await askNow(model, inputs, context);
    expect(now.outputs).toEqual(later);
    expect(context.phases.computeNs).toBe(now.report.computeNs);
  });

  it('runs tiny models within the call and large ones elsewhere', async () => {
    expect((await prepare('own_iris_rf/model.onnx')).notes.host).toMatch(
      /^native: a run takes \d+ µs within the call/,
    );
    expect((await prepare('light_resnet50/model.onnx')).notes.host).toMatch(
      /^native: a run takes .* ms.*2 x 1 threads/,
    );
  });

  it.each(['inline', 'thread', 'native'] as const)(
    'answers each of many requests at once with its own answer (%s)',
    async (host) => {
      const { model } = await prepare('triton_simple/model.onnx', { host });
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, at) => {
          const tensor = (name: string, value: number): Tensor => ({
            ...{ name, datatype: 'INT32', shape: [1, 16] },
            data: new Int32Array(16).fill(value),
          });
          return ask(model, [tensor('INPUT0', at), tensor('INPUT1', 1)]);
        }),
      );
      answers.forEach(([sum, difference], at) => {
        expect(sum?.data).toEqual(new Int32Array(16).fill(at + 1));
        expect(difference?.data).toEqual(new Int32Array(16).fill(at - 1));
      });
    },
  );
});
