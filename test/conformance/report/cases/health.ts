import { expect } from 'vitest';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { answers, fails, refuses, replies } from '../expectations.ts';
import { probe, type Section } from '../probe.ts';

const { method } = GRPCInferenceService;

const PLATFORM =
  'the platform is `onnxruntime_onnx`, the name that Triton has for it and its clients look for';

export const HEALTH: Section = {
  title: 'Health and metadata',
  source: 'kserve/open-inference-protocol, specification/protocol/inference_rest.md and inference_grpc.md',
  file: 'health',
  statements: [
    {
      operation: 'Server live',
      says: 'true while the server can answer, whatever its models are',
      http: probe(
        'GET v2/health/live',
        ({ unready }) => unready.http('GET', 'v2/health/live'),
        answers(200, { live: true }),
      ),
      grpc: probe(
        'ServerLive',
        ({ unready }) => unready.grpc(method.serverLive, {}),
        replies({ live: true }),
      ),
    },
    {
      operation: 'Server ready',
      says: 'true where all models are ready',
      http: probe(
        'GET v2/health/ready',
        (target) => target.http('GET', 'v2/health/ready'),
        answers(200, { ready: true }),
      ),
      grpc: probe('ServerReady', (target) => target.grpc(method.serverReady, {}), replies({ ready: true })),
    },
    {
      operation: 'Server ready',
      says: 'no success, or false, where one of them is not',
      http: probe(
        'GET v2/health/ready',
        ({ unready }) => unready.http('GET', 'v2/health/ready'),
        answers(400, { ready: false }),
      ),
      grpc: probe(
        'ServerReady',
        ({ unready }) => unready.grpc(method.serverReady, {}),
        replies({ ready: false }),
      ),
    },
    {
      operation: 'Model ready',
      says: 'true, and over HTTP the name, for a model that answers',
      http: probe(
        'GET v2/models/{m}/ready',
        (target) => target.http('GET', 'v2/models/iris/ready'),
        answers(200, { name: 'iris', ready: true }),
      ),
      grpc: probe(
        'ModelReady',
        (target) => target.grpc(method.modelReady, { name: 'iris' }),
        replies({ ready: true }),
      ),
    },
    {
      operation: 'Model ready',
      says: 'the same for a version of it',
      http: probe(
        'GET v2/models/{m}/versions/{v}/ready',
        (target) => target.http('GET', 'v2/models/iris/versions/1/ready'),
        answers(200, { name: 'iris', ready: true }),
      ),
      grpc: probe(
        'ModelReady',
        (target) => target.grpc(method.modelReady, { name: 'iris', version: '1' }),
        replies({ ready: true }),
      ),
    },
    {
      operation: 'Model ready',
      says: 'no success, or false, for a model that could not be loaded',
      http: probe(
        'GET v2/models/{m}/ready',
        ({ unready }) => unready.http('GET', 'v2/models/broken/ready'),
        (answer) => expect(answer.status).toBeGreaterThanOrEqual(400),
      ),
      grpc: probe(
        'ModelReady',
        ({ unready }) => unready.grpc(method.modelReady, { name: 'broken' }),
        replies({ ready: false }),
      ),
    },
    {
      operation: 'Model ready',
      says: 'no success, or false, for a model that nobody knows (as Triton has it)',
      http: probe(
        'GET v2/models/{m}/ready',
        (target) => target.http('GET', 'v2/models/nobody/ready'),
        refuses(404),
      ),
      grpc: probe(
        'ModelReady',
        (target) => target.grpc(method.modelReady, { name: 'nobody' }),
        replies({ ready: false }),
      ),
    },
    {
      operation: 'Server metadata',
      says: 'name, version and extensions',
      http: probe(
        'GET v2',
        (target) => target.http('GET', 'v2'),
        answers(200, { name: 'nimify', version: expect.any(String), extensions: expect.any(Array) }),
      ),
      grpc: probe(
        'ServerMetadata',
        (target) => target.grpc(method.serverMetadata, {}),
        replies({ name: 'nimify', version: expect.stringMatching(/^\d/), extensions: expect.any(Array) }),
      ),
    },
    {
      operation: 'Server metadata',
      says: 'also where the path ends in a slash, as open_inference_rest.yaml writes it',
      http: probe('GET v2/', (target) => target.http('GET', 'v2/'), answers(200, { name: 'nimify' })),
    },
    {
      operation: 'Model metadata',
      says: 'name, versions, inputs and outputs with datatype and shape, -1 where it varies',
      http: probe(
        'GET v2/models/{m}',
        (target) => target.http('GET', 'v2/models/iris'),
        answers(200, {
          ...{ name: 'iris', versions: ['1', '2'], platform: expect.any(String) },
          inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
          outputs: [
            { name: 'label', datatype: 'INT64', shape: [-1] },
            { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
          ],
        }),
      ),
      grpc: probe(
        'ModelMetadata',
        (target) => target.grpc(method.modelMetadata, { name: 'iris' }),
        replies({
          ...{ name: 'iris', versions: ['1', '2'], platform: expect.stringMatching(/./) },
          inputs: [{ name: 'X', datatype: 'FP32', shape: [-1n, 4n] }],
          outputs: [
            { name: 'label', datatype: 'INT64', shape: [-1n] },
            { name: 'probabilities', datatype: 'FP32', shape: [-1n, 3n] },
          ],
        }),
      ),
    },
    {
      operation: 'Model metadata',
      says: 'the same for a version of it',
      http: probe(
        'GET v2/models/{m}/versions/{v}',
        (target) => target.http('GET', 'v2/models/iris/versions/2'),
        answers(200, { name: 'iris' }),
      ),
      grpc: probe(
        'ModelMetadata',
        (target) => target.grpc(method.modelMetadata, { name: 'iris', version: '2' }),
        replies({ name: 'iris' }),
      ),
    },
    {
      operation: 'Model metadata',
      says: 'an error, in an object with `error` over HTTP, for a model that is not there',
      http: probe(
        'GET v2/models/{m}',
        (target) => target.http('GET', 'v2/models/nobody'),
        refuses(404, "Request for unknown model: 'nobody' is not found"),
      ),
      grpc: probe(
        'ModelMetadata',
        (target) => target.grpc(method.modelMetadata, { name: 'nobody' }),
        fails(5, "Request for unknown model: 'nobody' is not found"),
      ),
    },
    {
      operation: 'Model metadata',
      says: 'a platform from the list in the document: `onnx_onnxv1` for ONNX',
      http: probe(
        'GET v2/models/{m}',
        (target) => target.http('GET', 'v2/models/iris'),
        answers(200, { platform: 'onnx_onnxv1' }),
        { because: PLATFORM, holds: answers(200, { platform: 'onnxruntime_onnx' }) },
      ),
      grpc: probe(
        'ModelMetadata',
        (target) => target.grpc(method.modelMetadata, { name: 'iris' }),
        replies({ platform: 'onnx_onnxv1' }),
        { because: PLATFORM, holds: replies({ platform: 'onnxruntime_onnx' }) },
      ),
    },
  ],
};
