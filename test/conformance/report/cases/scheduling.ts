import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section, type Statement } from '../probe.ts';
import type { GrpcAnswer, Target } from '../target.ts';
import { listed } from './extensions.ts';

const { modelInfer, modelStreamInfer } = GRPCInferenceService.method;

type Value = string | number | boolean;

const DATA = [5.1, 3.5, 1.4, 0.2];

function post(target: Target, parameters: Readonly<Record<string, Value>>) {
  const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: DATA }];
  return target.http('POST', 'v2/models/iris/infer', { inputs, parameters });
}

function requestOf(parameters: Readonly<Record<string, Value>>, modelName = 'iris') {
  const choices = Object.entries(parameters).map(([name, value]) => [
    name,
    { parameterChoice: choiceOf(value) },
  ]);
  return {
    modelName,
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: DATA } }],
    parameters: Object.fromEntries(choices),
  };
}

function choiceOf(value: Value) {
  if (typeof value === 'number') return { case: 'int64Param' as const, value: BigInt(value) };
  if (typeof value === 'string') return { case: 'stringParam' as const, value };
  return { case: 'boolParam' as const, value };
}

const ask = (target: Target, parameters: Readonly<Record<string, Value>>) =>
  target.grpc(modelInfer, requestOf(parameters));

/** With these parameters a request is answered, or refused with the words. */
function inference(says: string, parameters: Readonly<Record<string, Value>>, refused?: string): Statement {
  return {
    operation: 'Inference',
    says,
    http: probe(
      'POST v2/models/{m}/infer',
      (target) => post(target, parameters),
      refused === undefined ? answers(200, { model_name: 'iris' }) : refuses(400, refused),
    ),
    grpc: probe(
      'ModelInfer',
      (target) => ask(target, parameters),
      refused === undefined ? replies({ modelName: 'iris' }) : fails(3, refused),
    ),
  };
}

/** The answers to some requests in one stream, and how it ended. */
async function stream(
  target: Target,
  requests: readonly ReturnType<typeof requestOf>[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<GrpcAnswer<{ readonly answers: readonly object[] }>> {
  const call = target.client.stream(modelStreamInfer, { metadata });
  for (const request of requests) call.send(request);
  call.call.end();
  const got: object[] = [];
  for (let answer = await call.next(); answer !== undefined; answer = await call.next()) got.push(answer);
  const { code, details } = await call.status;
  return { code, details, trailers: {}, message: { answers: got } };
}

const ANSWERED = { errorMessage: '', inferResponse: { modelName: 'iris' } };
const UNKNOWN = { errorMessage: expect.stringContaining("Request for unknown model: 'nobody'") };

export const SCHEDULE_POLICY: Section = {
  title: 'Schedule policy',
  source: 'triton-inference-server/server, docs/protocol/extension_schedule_policy.md',
  file: 'scheduling',
  statements: [
    listed('schedule_policy'),
    inference('`priority`, an integer, is taken', { priority: 1 }),
    inference('another `priority` is refused', { priority: 'first' }, 'parameters.priority'),
    inference('`timeout`, in microseconds, is taken', { timeout: 30_000_000 }),
    {
      operation: 'Inference',
      says: 'a request that cannot be completed within its `timeout` ends with an error',
      http: probe(
        'POST v2/models/{m}/infer',
        (target) => post(target, { timeout: 1 }),
        refuses(504, 'deadline'),
      ),
      grpc: probe('ModelInfer', (target) => ask(target, { timeout: 1 }), fails(4, 'deadline')),
    },
  ],
};

export const PARAMETERS: Section = {
  title: 'Parameters',
  source: 'triton-inference-server/server, docs/protocol/extension_parameters.md',
  file: 'scheduling',
  statements: [
    listed('parameters', { missing: 'parameters of a request are read, and no model here is told of them' }),
    inference("a request's own parameters are taken", { my_custom_parameter: 42, text: 'a', flag: true }),
  ],
};

export const SEQUENCE: Section = {
  title: 'Sequence, and streams of requests',
  source: 'triton-inference-server/server, docs/protocol/extension_sequence.md',
  file: 'scheduling',
  statements: [
    listed('sequence', { missing: 'no model here keeps a state from one request to the next' }),
    inference('`sequence_id`, a number, with start and end, is taken', {
      ...{ sequence_id: 42, sequence_start: true, sequence_end: true },
    }),
    inference('`sequence_id` may be a text', { sequence_id: 'e333c95a-07fc-42d2-ab16-033b1a566ed5' }),
    inference('start or end without a `sequence_id` are refused', { sequence_start: true }, 'sequence_id'),
    {
      operation: 'Stream',
      says: 'each request of a stream is answered, in their order',
      grpc: probe(
        'ModelStreamInfer',
        (target) => stream(target, Array(20).fill(requestOf({}))),
        replies({ answers: Array(20).fill(ANSWERED) }),
      ),
    },
    {
      operation: 'Stream',
      says: 'a request that fails is answered with `error_message`, and the stream goes on',
      grpc: probe(
        'ModelStreamInfer',
        (target) => stream(target, [requestOf({}), requestOf({}, 'nobody'), requestOf({})]),
        replies({ answers: [ANSWERED, UNKNOWN, ANSWERED] }),
      ),
    },
    {
      operation: 'Stream',
      says: 'with the metadata `triton_grpc_error: true` it ends with the status of the error (Triton 2.4x)',
      grpc: probe(
        'ModelStreamInfer',
        (target) => stream(target, [requestOf({}), requestOf({}, 'nobody')], { triton_grpc_error: 'true' }),
        ({ code, message }) => {
          expect(code).toBe(5);
          expect(message?.answers).toMatchObject([ANSWERED]);
        },
      ),
    },
    {
      operation: 'Stream',
      says: '`triton_final_response` marks the last answer to a request where `triton_enable_empty_final_response` asks for it',
      grpc: probe(
        'ModelStreamInfer',
        (target) => stream(target, [requestOf({ triton_enable_empty_final_response: true })]),
        replies({
          answers: [
            {
              inferResponse: {
                parameters: {
                  triton_final_response: { parameterChoice: { case: 'boolParam', value: true } },
                },
              },
            },
          ],
        }),
      ),
    },
  ],
};
