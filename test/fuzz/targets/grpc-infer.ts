import { isDeepStrictEqual } from 'node:util';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { decodeModelInferRequest } from '../../../src/base/oip/decode-protobuf.ts';
import { createInferMessageSink, type InferMessage } from '../../../src/base/oip/infer-message.ts';
import { DATATYPES } from '../../../src/base/tensor/datatype.ts';
import {
  type ModelInferRequest,
  ModelInferRequestSchema,
} from '../../../src/protocol/grpc/generated/inference/infer_pb.ts';
import { request as anyModelInfer } from '../../support/any-model-infer.ts';
import { comparable, isAsDescribed, meaningOf } from '../../support/model-infer-reference.ts';
import { mutated } from '../mutation.ts';
import { type FuzzTarget, require, resultOrRefusal } from '../target.ts';
import { checkTensors } from './oip.ts';

/** Tags of the messages' fields, lengths and numbers at the ends of their ranges, names that mean something. */
export const PROTOBUF_WORDS = [
  ...[
    '\x0a',
    '\x12',
    '\x1a',
    '\x22',
    '\x2a',
    '\x32',
    '\x3a\x00',
    '\x3a\x04',
    '\x18',
    '\x08',
    '\x0b',
    '\x0c',
    '\x42',
  ],
  ...['\x00', '\x01', '\x7f', '\x80\x01', '\xff'.repeat(11), `${'\x80'.repeat(9)}\x00`],
  ...['\xff\xff\xff\xff\x0f', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01'],
  ...['\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01', '\xfe\xff\xff\xff\x07', '\x80\x80\x80\x80\x10'],
  ...['shared_memory_region', 'classification', '\xef\xbb\xbf', '\xc3\x28', '\xed\xa0\x80'],
  ...DATATYPES.map((datatype) => `\x12${String.fromCharCode(datatype.length)}${datatype}`),
];

const REFUSALS = ['INVALID_INPUT', 'UNSUPPORTED'] as const;

/** What our decoder makes of a message; undefined: it refuses. */
export function readRequest(message: () => InferMessage) {
  const decoded = resultOrRefusal(REFUSALS, () => decodeModelInferRequest(message()));
  if (decoded !== undefined) checkTensors(decoded.inputs);
  return decoded;
}

function generated(bytes: Uint8Array): ModelInferRequest | undefined {
  try {
    return fromBinary(ModelInferRequestSchema, bytes);
  } catch {
    return undefined;
  }
}

export function requireSame(
  what: string,
  one: ReturnType<typeof readRequest>,
  other: ReturnType<typeof readRequest>,
): void {
  require(isDeepStrictEqual(comparable(one), comparable(other)), what);
}

/** ModelInferRequests, against the generated code. The first byte says how the message is cut. */
export const grpcInferTarget: FuzzTarget = {
  name: 'grpc-infer',
  inputs: fc.oneof(
    fc
      .tuple(anyModelInfer, fc.nat(255))
      .chain(([message, cut]) => mutated([Buffer.concat([Buffer.of(cut), message])], PROTOBUF_WORDS)),
    fc.uint8Array({ maxLength: 60 }),
  ),
  run(input) {
    const [cut = 0] = input;
    // A message of its own: views are aligned by its start.
    const bytes = Uint8Array.from(input.subarray(1));
    const ours = readRequest(() => ({ bytes }));
    requireSame(
      'another meaning in pieces',
      ours,
      readRequest(() => {
        const sink = createInferMessageSink(bytes.length);
        for (let at = 0; at < bytes.length; at += cut + 1) sink.push(bytes.subarray(at, at + cut + 1));
        return sink.take();
      }),
    );
    const theirs = generated(bytes);
    const isDescribed = isAsDescribed(bytes);
    if (theirs === undefined) {
      require(ours === undefined || !isDescribed, 'taken, and no message to the generated code');
      return;
    }
    if (isDescribed) requireSame('another meaning than to the generated code', ours, meaningOf(theirs));
    const canonical = toBinary(ModelInferRequestSchema, theirs, { writeUnknownFields: false });
    requireSame(
      'another meaning in canonical form',
      readRequest(() => ({ bytes: canonical })),
      meaningOf(fromBinary(ModelInferRequestSchema, canonical)),
    );
  },
};
