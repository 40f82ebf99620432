import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { fromBytes } from '../../../support/tensor.ts';
import { answers, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import type { GrpcAnswer, Target } from '../target.ts';
import { listed } from './extensions.ts';

const ROWS = [5.1, 3.5, 1.4, 0.2, 6.7, 3.0, 5.2, 2.3];

/** A model, its input of rows of four, and its output with scores. */
const LABELLED = { model: 'iris', input: 'X', output: 'probabilities' };
const PLAIN = { model: 'identity_fp32', input: 'INPUT', output: 'OUTPUT' };

function post(target: Target, { model, input, output }: typeof LABELLED, classification: number) {
  return target.http('POST', `v2/models/${model}/infer`, {
    inputs: [{ name: input, datatype: 'FP32', shape: [2, 4], data: ROWS }],
    outputs: [{ name: output, parameters: { classification } }],
  });
}

function ask(target: Target, { model, input, output }: typeof LABELLED, classification: number) {
  const parameters = {
    classification: { parameterChoice: { case: 'int64Param' as const, value: BigInt(classification) } },
  };
  return target.grpc(GRPCInferenceService.method.modelInfer, {
    modelName: model,
    inputs: [{ name: input, datatype: 'FP32', shape: [2n, 4n], contents: { fp32Contents: ROWS } }],
    outputs: [{ name: output, parameters }],
  });
}

/** The texts of each row, whose scores fall. */
function textsAre(texts: readonly (readonly string[])[], patterns: readonly (readonly RegExp[])[]): void {
  expect(texts.map((row) => row.length)).toEqual(patterns.map((row) => row.length));
  for (const [index, row] of texts.entries()) {
    for (const [at, text] of row.entries()) expect(text).toMatch(patterns[index]?.[at] ?? /$./);
    const scores = row.map((text) => Number(text.split(':')[0]));
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  }
}

function rowsOf(data: readonly string[], count: number): string[][] {
  return [data.slice(0, count), data.slice(count)];
}

function inJson(count: number, patterns: readonly (readonly RegExp[])[]) {
  return (answer: Awaited<ReturnType<typeof post>>) => {
    answers(200, { outputs: [{ datatype: 'BYTES', shape: [2, count] }] })(answer);
    const [output] = (answer.body as { outputs: { data: string[] }[] }).outputs;
    textsAre(rowsOf(output?.data ?? [], count), patterns);
  };
}

function inRaw(count: number, patterns: readonly (readonly RegExp[])[]) {
  return (answer: GrpcAnswer<{ readonly rawOutputContents: Uint8Array[] }>) => {
    replies({ outputs: [{ datatype: 'BYTES', shape: [2n, BigInt(count)] }] })(answer);
    const [raw = new Uint8Array(0)] = answer.message?.rawOutputContents ?? [];
    textsAre(rowsOf(fromBytes('BYTES', Buffer.from(raw)) as string[], count), patterns);
  };
}

function statement(
  says: string,
  model: typeof LABELLED,
  count: number,
  got: number,
  patterns: readonly (readonly RegExp[])[],
) {
  return {
    operation: 'Inference',
    says,
    http: probe('POST v2/models/{m}/infer', (target) => post(target, model, count), inJson(got, patterns)),
    grpc: probe('ModelInfer', (target) => ask(target, model, count), inRaw(got, patterns)),
  };
}

export const CLASSIFICATION: Section = {
  title: 'Classification',
  source: 'triton-inference-server/server, docs/protocol/extension_classification.md',
  file: 'classification',
  statements: [
    listed('classification'),
    statement('`value:index:label` of the best classes of each row, where there are labels', LABELLED, 2, 2, [
      [/^[\d.]+:0:setosa$/, /^[\d.]+:[12]:(versicolor|virginica)$/],
      [/^[\d.]+:2:virginica$/, /^[\d.]+:[01]:(setosa|versicolor)$/],
    ]),
    statement('`value:index` where there are none', PLAIN, 1, 1, [[/^5\.1\d*:0$/], [/^6\.[67]\d*:0$/]]),
    statement('no more classes than the output has', LABELLED, 9, 3, [
      [/:0:/, /:/, /:/],
      [/:2:/, /:/, /:/],
    ]),
  ],
};
