import { create, type DescMethod, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { DATATYPES } from '../../../src/base/tensor/datatype.ts';
import type { Signature } from '../../../src/model/signature.ts';
import { serveFake } from '../../../src/protocol/grpc/fake-registry.ts';
import { Health } from '../../../src/protocol/grpc/generated/grpc/health/v1/health_pb.ts';
import { ServerReflection } from '../../../src/protocol/grpc/generated/grpc/reflection/v1/reflection_pb.ts';
import { GRPCInferenceService } from '../../../src/protocol/grpc/generated/inference/service_pb.ts';
import { pathOf } from '../../../src/protocol/grpc/methods.ts';
import { connectRaw, framed } from '../../../src/protocol/grpc/raw-client.ts';
import { request as anyModelInfer } from '../../support/any-model-infer.ts';
import { anyTensor } from '../../support/any-tensor.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require } from '../target.ts';

/**
 * What a client may be told for sending something wrong (grpc, doc/statuscodes.md): OK, INVALID_ARGUMENT,
 * DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, UNIMPLEMENTED, UNAVAILABLE; above all
 * not UNKNOWN or INTERNAL.
 */
const STATUSES = new Set(['0', '3', '4', '5', '8', '9', '10', '12', '14']);

/** Those of which one call comes to its end by itself. */
const METHODS: readonly DescMethod[] = [
  ...GRPCInferenceService.methods,
  Health.method.check,
  ServerReflection.method.serverReflectionInfo,
];

const CODINGS = ['identity', 'gzip', 'deflate', 'zstd'];
const WORDS = [
  '\x00\x00\x00\x00\x00',
  '\x01\x00\x00\x00\x02',
  '\x00\x7f\xff\xff\xff',
  '\x0a',
  '\x12\x04',
  '\x22\x00',
];

/** One input of each datatype, and its output: `m_FP32`, `m_BYTES` and so on. */
const MODELS = DATATYPES.map((datatype) => {
  const spec = { datatype, shape: [-1, -1], dimensionNames: [undefined, undefined] };
  const signature: Signature = {
    inputs: [{ name: 'x', ...spec }],
    outputs: [{ name: 'y', ...spec }],
    batchAxis: 'none',
  };
  return { name: `m_${datatype}`, signature };
});

const { modelInfer } = GRPCInferenceService.method;

/** A request that one of the models answers. */
const answered = anyTensor({ text: false })
  .filter(({ datatype, data }) => datatype !== 'BYTES' && !('offsets' in data))
  .map(({ datatype, shape, data }) => {
    const { buffer, byteOffset, byteLength } = data as Uint8Array;
    const request: MessageInitShape<typeof modelInfer.input> = {
      modelName: `m_${datatype}`,
      inputs: [{ name: 'x', datatype, shape: shape.map(BigInt) }],
      rawInputContents: [new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)],
    };
    return toBinary(modelInfer.input, create(modelInfer.input, request));
  });

/** The method, the coding that is promised, and the messages in their frames. */
const call = fc
  .tuple(
    fc.nat(METHODS.length - 1),
    fc.nat(CODINGS.length - 1),
    fc.array(fc.oneof(answered, anyModelInfer, fc.uint8Array({ maxLength: 30 })), { maxLength: 2 }),
  )
  .map(([method, coding, messages]) =>
    Buffer.concat([Buffer.of(method, coding), ...messages.map((message) => framed(message))]),
  );

/** Whole calls, of each method. Models are fakes that echo. */
export async function grpcCallTarget(): Promise<FuzzTarget> {
  const options = { maxReceiveMessageBytes: 1 << 20, receiveTimeoutMs: 2000 };
  const server = await serveFake(MODELS, options);
  const client = connectRaw(server.port);
  return {
    name: 'grpc-call',
    inputs: call.chain((one) => fc.oneof(mutated([one], WORDS), fc.constant(one))),
    async run(input) {
      const loggedBefore = server.logged.length;
      const [method = 0, coding = 0] = input;
      const path = pathOf(METHODS[method % METHODS.length]!);
      const headers = { 'grpc-encoding': CODINGS[coding % CODINGS.length]! };
      const answer = await client.call(path, [input.subarray(2)], { headers });
      const told = { ...answer.headers, ...answer.trailers };
      require(STATUSES.has(
        String(told['grpc-status']),
      ), `${path}: ${told['grpc-status']} ${told['grpc-message']}`);
      require(server.logged.length === loggedBefore, `the log has a fault: ${server.logged.at(-1)}`);
    },
    async close() {
      client.close();
      await server.close();
    },
  };
}
