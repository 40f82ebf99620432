import { expect } from 'vitest';
import { answers, refuses } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';
import type { HttpAnswer, Target } from '../target.ts';

const CALL = 'POST v2/models/{m}/infer';
const ROW = Buffer.from(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
const X = { name: 'X', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: ROW.length } };

/** JSON, then the bytes. */
function post(target: Target, head: object, bytes: Uint8Array = ROW, length?: number): Promise<HttpAnswer> {
  const json = Buffer.from(JSON.stringify(head));
  return target.http('POST', 'v2/models/iris/infer', Buffer.concat([json, bytes]), {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(length ?? json.length),
  });
}

function listed(name: string): (answer: HttpAnswer) => void {
  return answers(200, { extensions: expect.arrayContaining([name]) });
}

/** Both outputs as bytes, in their order. */
function allBinary(answer: HttpAnswer): void {
  answers(200, {
    outputs: [
      { name: 'label', shape: [1], parameters: { binary_data_size: 8 } },
      { name: 'probabilities', shape: [1, 3], parameters: { binary_data_size: 12 } },
    ],
  })(answer);
  expect(answer.binary.length).toBe(20);
  expect(answer.binary.readBigInt64LE(0)).toBe(0n);
  expect(answer.binary.readFloatLE(8)).toBeGreaterThan(0.5);
  expect(answer.headers['content-type']).toBe('application/octet-stream');
  expect(Number(answer.headers['content-length'])).toBe(
    Number(answer.headers['inference-header-content-length']) + 20,
  );
}

export const BINARY_DATA: Section = {
  title: 'Binary tensor data',
  source: 'triton-inference-server/server, docs/protocol/extension_binary_data.md',
  file: 'binary-data',
  statements: [
    {
      operation: 'Server metadata',
      says: 'lists `binary_tensor_data`',
      http: probe('GET v2', (target) => target.http('GET', 'v2'), listed('binary_tensor_data')),
    },
    {
      operation: 'Request',
      says: 'inputs as bytes behind the JSON, of the size that `binary_data_size` says',
      http: probe(
        CALL,
        (target) => post(target, { inputs: [X] }),
        answers(200, { outputs: [{ data: [0] }, {}] }),
      ),
    },
    {
      operation: 'Request',
      says: 'inputs in JSON beside others as bytes',
      http: probe(
        CALL,
        (target) => {
          const column = (name: string, datatype: string, data: unknown[]) => ({
            name,
            datatype,
            shape: [1, 1],
            data,
          });
          const hours = {
            name: 'usage_hours',
            datatype: 'FP32',
            shape: [1, 1],
            parameters: { binary_data_size: 4 },
          };
          const inputs = [
            ...[column('plan', 'BYTES', ['basic']), column('region', 'BYTES', ['north'])],
            ...[hours, column('tenure_months', 'INT64', [3])],
          ];
          const json = Buffer.from(JSON.stringify({ inputs }));
          const body = Buffer.concat([json, Buffer.from(Float32Array.of(2.5).buffer)]);
          return target.http('POST', 'v2/models/churn/infer', body, {
            'content-type': 'application/octet-stream',
            'inference-header-content-length': String(json.length),
          });
        },
        answers(200, { outputs: [{ name: 'label', data: [expect.any(String)] }, {}] }),
      ),
    },
    {
      operation: 'Response',
      says: 'an output as bytes where `binary_data` asks for it, others in JSON',
      http: probe(
        CALL,
        (target) => {
          const outputs = [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: true } }];
          return post(target, { inputs: [X], outputs });
        },
        (answer) => {
          const outputs = [{ data: [0] }, { parameters: { binary_data_size: 12 } }];
          answers(200, { outputs })(answer);
          expect(answer.binary.length).toBe(12);
        },
      ),
    },
    {
      operation: 'Response',
      says: 'all outputs as bytes where `binary_data_output` asks for it, with the lengths in the headers',
      http: probe(
        CALL,
        (target) => post(target, { inputs: [X], parameters: { binary_data_output: true } }),
        allBinary,
      ),
    },
    {
      operation: 'Response',
      says: '`binary_data` of an output goes before `binary_data_output`',
      http: probe(
        CALL,
        (target) =>
          post(target, {
            ...{ inputs: [X], parameters: { binary_data_output: true } },
            outputs: [{ name: 'label', parameters: { binary_data: false } }],
          }),
        answers(200, { outputs: [{ name: 'label', data: [0] }] }),
      ),
    },
    {
      operation: 'Request',
      says: 'one input as the whole body, with an Inference-Header-Content-Length of 0',
      http: probe(
        CALL,
        (target) =>
          target.http('POST', 'v2/models/iris/infer', ROW, {
            'content-type': 'application/octet-stream',
            'inference-header-content-length': '0',
          }),
        allBinary,
      ),
    },
    {
      operation: 'Request',
      says: 'an error where sizes do not add up: to the shape, to the body, to the header',
      http: probe(
        CALL,
        async (target) => {
          refuses(
            400,
            'binary_data_size',
          )(
            await post(
              target,
              { inputs: [{ ...X, parameters: { binary_data_size: 12 } }] },
              ROW.subarray(0, 12),
            ),
          );
          refuses(400)(await post(target, { inputs: [X] }, Buffer.concat([ROW, ROW])));
          return post(target, { inputs: [X] }, ROW, 10_000);
        },
        refuses(400, 'Inference-Header-Content-Length'),
      ),
    },
  ],
};
