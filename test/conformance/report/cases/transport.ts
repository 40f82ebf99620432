import { deflateSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../../../src/protocol/grpc/generated/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../../src/protocol/grpc/generated/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from '../../../../src/protocol/grpc/generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { GRPCInferenceService } from '../../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { connect } from '../../../support/grpc-client.ts';
import { answers, fails, replies } from '../expectations.ts';
import { probe, type Section, type Statement } from '../probe.ts';
import type { GrpcAnswer, Target } from '../target.ts';

const { modelInfer } = GRPCInferenceService.method;

/** Large enough to be worth it. */
const ROWS = 400;
const DATA = Float32Array.from({ length: ROWS * 4 }, (_, index) => index % 7);
const REQUEST = Buffer.from(
  JSON.stringify({ inputs: [{ name: 'INPUT', datatype: 'FP32', shape: [ROWS, 4], data: [...DATA] }] }),
);

function compressed(
  coding: 'gzip' | 'deflate',
  pack: (bytes: Uint8Array) => Uint8Array,
  number: number,
): Statement {
  return {
    operation: 'Compression',
    says: `requests in ${coding} are read; an answer comes so where the client reads it`,
    http: probe(
      'POST v2/models/{m}/infer',
      (target) =>
        target.http('POST', 'v2/models/identity_fp32/infer', pack(REQUEST), {
          ...{ 'content-type': 'application/json', 'content-encoding': coding, 'accept-encoding': coding },
        }),
      (answer) => {
        answers(200, { outputs: [{ data: [...DATA] }] })(answer);
        expect(answer.headers['content-encoding']).toBe(coding);
      },
    ),
    grpc: probe(
      'ModelInfer',
      async (target) => {
        const client = connect(target.port, { 'grpc.default_compression_algorithm': number });
        try {
          const message = await client.unary(modelInfer, {
            modelName: 'identity_fp32',
            inputs: [{ name: 'INPUT', datatype: 'FP32', shape: [BigInt(ROWS), 4n] }],
            rawInputContents: [new Uint8Array(DATA.buffer)],
          });
          return { code: 0, details: '', trailers: {}, message };
        } finally {
          client.close();
        }
      },
      ({ message }) => {
        const [raw = new Uint8Array(0)] = message?.rawOutputContents ?? [];
        expect(Buffer.from(DATA.buffer).equals(raw)).toBe(true);
      },
    ),
  };
}

async function watch(target: Target, service: string): Promise<GrpcAnswer> {
  const stream = target.client.stream(Health.method.watch);
  stream.send({ service });
  stream.call.end();
  const message = await stream.next();
  stream.call.cancel();
  return { code: 0, details: '', trailers: {}, message };
}

function health(
  says: string,
  service: string,
  holds: (answer: GrpcAnswer) => void,
  from?: 'unready',
): Statement {
  return {
    operation: 'Health: Check',
    says,
    grpc: probe(
      'grpc.health.v1.Health/Check',
      (target) => (from === undefined ? target : target.unready).grpc(Health.method.check, { service }),
      holds,
    ),
  };
}

function reflection(
  version: string,
  { method }: typeof ServerReflection | typeof ServerReflectionAlpha,
): Statement {
  return {
    operation: 'Reflection',
    says: 'the services, and the file of each symbol with all that it imports',
    grpc: probe(
      `grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
      async (target) => {
        const stream = target.client.stream(method.serverReflectionInfo);
        stream.send({ messageRequest: { case: 'listServices', value: '' } });
        const services = await stream.next();
        stream.send({
          messageRequest: {
            case: 'fileContainingSymbol',
            value: 'inference.GRPCInferenceService.ModelInfer',
          },
        });
        const file = await stream.next();
        stream.call.end();
        return { code: 0, details: '', trailers: {}, message: [services, file] };
      },
      replies([
        {
          messageResponse: {
            case: 'listServicesResponse',
            value: {
              service: expect.arrayContaining([
                expect.objectContaining({ name: 'inference.GRPCInferenceService' }),
                expect.objectContaining({ name: 'grpc.health.v1.Health' }),
              ]),
            },
          },
        },
        {
          messageResponse: {
            case: 'fileDescriptorResponse',
            value: { fileDescriptorProto: expect.arrayContaining([expect.any(Uint8Array)]) },
          },
        },
      ]),
    ),
  };
}

export const TRANSPORT: Section = {
  title: 'gRPC itself, and compression',
  source:
    'grpc/grpc, doc/health-checking.md, doc/server-reflection.md, doc/compression.md and doc/PROTOCOL-HTTP2.md',
  file: 'transport',
  statements: [
    health('SERVING for the server, by no name', '', replies({ status: Serving.SERVING })),
    health(
      'the same by the name of the service',
      'inference.GRPCInferenceService',
      replies({ status: Serving.SERVING }),
    ),
    health(
      'NOT_SERVING where a model could not be loaded',
      '',
      replies({ status: Serving.NOT_SERVING }),
      'unready',
    ),
    health('a model by its name (own addition)', 'iris', replies({ status: Serving.SERVING })),
    health('NOT_FOUND for what is not known', 'nothing', fails(5, 'service')),
    {
      operation: 'Health: Watch',
      says: 'the status at once, SERVICE_UNKNOWN for what is not known',
      grpc: probe(
        'grpc.health.v1.Health/Watch',
        async (target) => {
          replies({ status: Serving.SERVICE_UNKNOWN })(await watch(target, 'nothing'));
          return watch(target, '');
        },
        replies({ status: Serving.SERVING }),
      ),
    },
    {
      operation: 'Health: List',
      says: 'the status of each service',
      grpc: probe(
        'grpc.health.v1.Health/List',
        (target) => target.grpc(Health.method.list, {}),
        replies({ statuses: { '': { status: Serving.SERVING }, iris: { status: Serving.SERVING } } }),
      ),
    },
    reflection('v1', ServerReflection),
    reflection('v1alpha', ServerReflectionAlpha),
    compressed('gzip', gzipSync, 2),
    compressed('deflate', deflateSync, 1),
    {
      operation: 'Deadline',
      says: 'a call whose `grpc-timeout` has passed ends with DEADLINE_EXCEEDED',
      grpc: probe(
        'ModelInfer',
        (target) => {
          const inputs = [
            { name: 'X', datatype: 'FP32', shape: [1n, 4n], contents: { fp32Contents: [1, 2, 3, 4] } },
          ];
          // Of the client's own accord it would wait longer.
          const metadata = { 'grpc-timeout': '1n' };
          return target.grpc(modelInfer, { modelName: 'iris', inputs }, { metadata });
        },
        fails(4),
      ),
    },
    {
      operation: 'Unknown methods',
      says: 'UNIMPLEMENTED for a method that is none, 404 for a route that is none',
      http: probe(
        'GET v2/nothing',
        (target) => target.http('GET', 'v2/nothing'),
        answers(404, { error: expect.any(String) }),
      ),
      grpc: probe(
        'Nothing',
        async (target) => {
          const nothing = { ...modelInfer, name: 'Nothing' };
          const { code, details } = await target.grpc(nothing as typeof modelInfer, {});
          return { code: code === 12 ? 0 : code, details, trailers: {}, message: details };
        },
        replies(expect.stringContaining('unknown method') as object),
      ),
    },
  ],
};
