/** The ONNX project's own backend cases, each over both encodings; conformance/cases.csv lists them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NimifyError } from '../../src/base/errors/nimify-error.ts';
import { createServer } from '../../src/server.ts';
import { describeWith, MODELS } from '../require.ts';
import { expectTensor } from '../support/expect-tensor.ts';
import { ENCODINGS, infer } from '../support/oip-client.ts';
import { serve } from '../support/serve.ts';
import type { PlainTensor } from '../support/tensor.ts';
import { readTensorProto } from '../support/tensor-proto.ts';

interface Case {
  /** Such as `node/test_add_int8`. */
  readonly name: string;
  /** What it is in the list for; starts with `NEG` where the engine cannot run it. */
  readonly why: string;
}

describeWith(['data'], 'ONNX backend cases', () => {
  const cases = readCases();
  const runnable = cases.filter(({ why }) => !why.startsWith('NEG'));
  const refused = cases.filter(({ why }) => why.startsWith('NEG'));
  const server = serve(runnable.map(({ name }) => ({ name: toModelName(name), path: modelPath(name) })));

  it('are the 65 that the list promises', () => {
    expect([runnable.length, refused.length]).toEqual([59, 6]);
  });

  for (const encoding of ENCODINGS) {
    for (const { name, why } of runnable)
      it(`${name} answers as its output says (${encoding}; ${why})`, async () => {
        const model = toModelName(name);
        const names = await inputAndOutputNames(server.url, model);
        const inputs = readTensors(name, 'input').map((tensor, i) => ({
          ...tensor,
          name: names.inputs[i] ?? '',
        }));
        const answer = await infer(server.url, model, inputs, encoding);
        const wanted = readTensors(name, 'output');
        expect(answer.outputs.map((output) => output.name)).toEqual(names.outputs);
        expect(answer.outputs).toHaveLength(wanted.length);
        for (const [i, tensor] of wanted.entries()) expectTensor(answer.outputs[i], tensor);
      });
  }

  for (const { name, why } of refused)
    it(`${name} is refused with what it is and what to do (${why})`, async () => {
      const path = join(MODELS, modelPath(name));
      const failure = await createServer({ models: [path], httpPort: 0, metricsPort: false }).then(
        async (running) => {
          await running.close();
          throw new Error('it was served');
        },
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(NimifyError);
      const { code, message } = failure as NimifyError;
      expect(code).toBe('UNSUPPORTED');
      expect(message).toContain(path);
      expect(message.replaceAll(path, '')).toMatch(REFUSED_TYPE[why.slice('NEG '.length)] ?? /^$/);

      const alive = await fetch(`${server.url}/v2/health/live`);
      expect(alive.status).toBe(200);
    });
});

/** What a message must say of the type that is not supported. */
const REFUSED_TYPE: Readonly<Record<string, RegExp>> = {
  bfloat16: /'input' is bfloat16/,
  float8: /is float8/,
  sequence: /is seq\(|no output of the model is a tensor/,
  optional: /is optional\(/,
};

function readCases(): Case[] {
  const [, ...lines] = readFileSync(join(MODELS, 'conformance/cases.csv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [name = '', why = ''] = line.split(',');
    return { name, why };
  });
}

function toModelName(name: string): string {
  return name.replace('/', '__');
}

function modelPath(name: string): string {
  return `conformance/${toModelName(name)}/model.onnx`;
}

function readTensors(name: string, kind: 'input' | 'output'): PlainTensor[] {
  const folder = join(MODELS, 'conformance', toModelName(name), 'test_data_set_0');
  const count = readdirSync(folder).filter((file) => file.startsWith(kind)).length;
  return Array.from({ length: count }, (_, i) => readTensorProto(join(folder, `${kind}_${i}.pb`)));
}

/** The test data of some cases has no names: the order in the model decides then. */
async function inputAndOutputNames(url: string, model: string) {
  const response = await fetch(`${url}/v2/models/${model}`);
  expect(response.status).toBe(200);
  const metadata = (await response.json()) as Record<'inputs' | 'outputs', readonly { name: string }[]>;
  return {
    inputs: metadata.inputs.map(({ name }) => name),
    outputs: metadata.outputs.map(({ name }) => name),
  };
}
