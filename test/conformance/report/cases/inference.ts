import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import { MAX_BODY_BYTES, type Target } from '../target.ts';

const { modelInfer } = GRPCInferenceService.method;

const ROW = [5.1, 3.5, 1.4, 0.2];
const X = { name: 'X', datatype: 'FP32', shape: [1, 4], data: ROW };
const RAW = new Uint8Array(Float32Array.from(ROW).buffer);
const TENSOR = { name: 'X', datatype: 'FP32', shape: [1n, 4n] };
const TYPED = { ...TENSOR, contents: { fp32Contents: ROW } };

type Request = Parameters<typeof ask>[1];

function post(target: Target, fields: object = {}, path = 'v2/models/iris/infer') {
  return target.http('POST', path, { inputs: [X], ...fields });
}

function ask(
  target: Target,
  fields: Partial<Parameters<Target['grpc']>[1]> & { readonly modelName?: string } = {},
  options?: Parameters<Target['grpc']>[2],
) {
  return target.grpc(modelInfer, { modelName: 'iris', inputs: [TYPED], ...fields }, options);
}

/** Refused over HTTP with 400, over gRPC with INVALID_ARGUMENT, and the words in both. */
function wrong(what: string, http: object | undefined, grpc: Request | undefined, words: string) {
  return {
    operation: 'Inference',
    says: `an error for ${what}`,
    ...(http && {
      http: probe('POST v2/models/{m}/infer', (target: Target) => post(target, http), refuses(400, words)),
    }),
    ...(grpc && { grpc: probe('ModelInfer', (target: Target) => ask(target, grpc), fails(3, words)) }),
  };
}

const OUTPUTS = [
  { name: 'label', datatype: 'INT64', shape: [1], data: [0] },
  { name: 'probabilities', datatype: 'FP32', shape: [1, 3], data: expect.any(Array) },
];
const GRPC_OUTPUTS = [
  { name: 'label', datatype: 'INT64', shape: [1n] },
  { name: 'probabilities', datatype: 'FP32', shape: [1n, 3n] },
];

const JSON_TYPE = { 'content-type': 'application/json' };
const OWN_STATUSES =
  'errors have the status that HTTP has for them, also 413, 415, 429 and 504; docs/errors.md lists them, and the error object is the same';

export const INFERENCE: Section = {
  title: 'Inference',
  source: 'kserve/open-inference-protocol, specification/protocol/inference_rest.md and inference_grpc.md',
  file: 'inference',
  statements: [
    {
      operation: 'Inference',
      says: 'model, version and all outputs with name, datatype, shape and elements, where none are asked for',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target),
        (answer) => {
          answers(200, { model_name: 'iris', model_version: '2', outputs: OUTPUTS })(answer);
          expect(answer.headers['content-type']).toMatch(/^application\/json/);
        },
      ),
      grpc: probe(
        'ModelInfer',
        (target) => ask(target),
        replies({ modelName: 'iris', modelVersion: '2', outputs: GRPC_OUTPUTS }),
      ),
    },
    {
      operation: 'Inference',
      says: 'by the version that is asked for',
      http: probe(
        'POST v2/models/{m}/versions/{v}/infer',
        (target) => post(target, {}, 'v2/models/iris/versions/1/infer'),
        answers(200, { model_name: 'iris', model_version: '1' }),
      ),
      grpc: probe(
        'ModelInfer',
        (target) => ask(target, { modelVersion: '1' }),
        replies({ modelName: 'iris', modelVersion: '1' }),
      ),
    },
    {
      operation: 'Inference',
      says: "the request's id, where it has one",
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target, { id: '42' }),
        answers(200, { id: '42' }),
      ),
      grpc: probe('ModelInfer', (target) => ask(target, { id: '42' }), replies({ id: '42' })),
    },
    {
      operation: 'Inference',
      says: 'the outputs that are asked for, and no others',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target, { outputs: [{ name: 'probabilities' }] }),
        answers(200, { outputs: [OUTPUTS[1]] }),
      ),
      grpc: probe(
        'ModelInfer',
        (target) => ask(target, { outputs: [{ name: 'probabilities' }] }),
        replies({ outputs: [GRPC_OUTPUTS[1]] }),
      ),
    },
    {
      operation: 'Inference',
      says: 'elements flat, or nested as the shape is',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target, { inputs: [{ ...X, shape: [2, 4], data: [ROW, ROW] }] }),
        answers(200, { outputs: [{ shape: [2], data: [0, 0] }, { shape: [2, 3] }] }),
      ),
    },
    {
      operation: 'Inference',
      says: 'parameters of the request, of inputs and of outputs that nobody knows disturb nothing',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) =>
          post(target, {
            parameters: { own: 1, text: 'a', flag: true },
            inputs: [{ ...X, parameters: { own: 'b' } }],
            outputs: [{ name: 'label', parameters: { own: false } }],
          }),
        answers(200, { outputs: [OUTPUTS[0]] }),
      ),
      grpc: probe(
        'ModelInfer',
        (target) => {
          const parameters = { own: { parameterChoice: { case: 'int64Param' as const, value: 1n } } };
          const outputs = [{ name: 'label', parameters }];
          return ask(target, { parameters, inputs: [{ ...TYPED, parameters }], outputs });
        },
        replies({ outputs: [GRPC_OUTPUTS[0]] }),
      ),
    },
    {
      operation: 'Inference',
      says: 'raw contents in the order of the tensors, both ways; then no typed contents beside them',
      grpc: probe(
        'ModelInfer',
        (target) => ask(target, { inputs: [TENSOR], rawInputContents: [RAW] }),
        (answer) => {
          replies({ outputs: GRPC_OUTPUTS })(answer);
          const { outputs, rawOutputContents } = answer.message ?? {};
          expect(rawOutputContents?.map(({ length }) => length)).toEqual([8, 12]);
          expect(outputs?.map(({ contents }) => contents)).toEqual([undefined, undefined]);
        },
      ),
    },
    wrong(
      'raw contents beside typed contents',
      undefined,
      { inputs: [TYPED], rawInputContents: [RAW] },
      'inputs[0].contents',
    ),
    wrong(
      'a number of raw contents that is not that of the inputs',
      undefined,
      { inputs: [TENSOR], rawInputContents: [RAW, RAW] },
      'raw_input_contents: expected 1',
    ),
    wrong(
      'raw contents of another size than shape and datatype say',
      undefined,
      { inputs: [TENSOR], rawInputContents: [RAW.subarray(0, 12)] },
      'raw_input_contents[0]: expected 16 bytes',
    ),
    wrong(
      'elements that are fewer than the shape says',
      { inputs: [{ ...X, data: [1, 2, 3] }] },
      { inputs: [{ ...TENSOR, contents: { fp32Contents: [1, 2, 3] } }] },
      'expected 4 elements',
    ),
    wrong(
      'an input of another datatype than the model has',
      { inputs: [{ ...X, datatype: 'INT32', data: [1, 2, 3, 4] }] },
      { inputs: [{ ...TENSOR, datatype: 'INT32', contents: { intContents: [1, 2, 3, 4] } }] },
      'inputs[0].datatype',
    ),
    wrong(
      'an input of another shape than the model has',
      { inputs: [{ ...X, shape: [4] }] },
      { inputs: [{ ...TYPED, shape: [4n] }] },
      'inputs[0].shape',
    ),
    wrong('an input that is missing', { inputs: [] }, { inputs: [] }, "'X'"),
    wrong(
      'an input that the model does not have',
      { inputs: [X, { ...X, name: 'Y' }] },
      { inputs: [TYPED, { ...TYPED, name: 'Y' }] },
      "'Y'",
    ),
    wrong(
      'an output that the model does not have',
      { outputs: [{ name: 'nothing' }] },
      { outputs: [{ name: 'nothing' }] },
      "'nothing'",
    ),
    {
      operation: 'Inference',
      says: 'an error for a model that is not there',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target, {}, 'v2/models/nobody/infer'),
        refuses(404, "Request for unknown model: 'nobody' is not found"),
      ),
      grpc: probe(
        'ModelInfer',
        (target) => ask(target, { modelName: 'nobody' }),
        fails(5, "Request for unknown model: 'nobody' is not found"),
      ),
    },
    {
      operation: 'Inference',
      says: 'an error for a version that is not there',
      http: probe(
        'POST v2/models/{m}/versions/{v}/infer',
        (target) => post(target, {}, 'v2/models/iris/versions/7/infer'),
        refuses(404, 'version'),
      ),
      grpc: probe('ModelInfer', (target) => ask(target, { modelVersion: '7' }), fails(5, 'version')),
    },
    {
      operation: 'Status codes',
      says: "404, 501, 503 and 500 where Triton's table has them (docs/protocol/README.md), else 400; too large a body among them",
      http: probe(
        'POST v2/models/{m}/infer',
        (target) =>
          target.http('POST', 'v2/models/iris/infer', new Uint8Array(MAX_BODY_BYTES + 1), JSON_TYPE),
        refuses(400),
        { because: OWN_STATUSES, holds: refuses(413) },
      ),
    },
    {
      operation: 'Message size',
      says: 'RESOURCE_EXHAUSTED for a message over the limit (grpc/grpc, doc/statuscodes.md)',
      grpc: probe(
        'ModelInfer',
        (target) => ask(target, { inputs: [TENSOR], rawInputContents: [new Uint8Array(MAX_BODY_BYTES + 1)] }),
        fails(8, 'bytes'),
      ),
    },
  ],
};
