import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import { FRAME_HEADER_BYTES } from '../../base/oip/grpc-frame.ts';

/**
 * Reads a message with the generated code.
 * @throws NimifyError INVALID_INPUT
 */
export function readMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    const { typeName } = schema;
    throw new NimifyError('INVALID_INPUT', `message: expected a ${typeName}, got bytes that are none`, {
      details: { where: 'message', expected: typeName },
      cause,
    });
  }
}

/** Writes a message with the generated code, with headroom for its frame's header. */
export function writeMessage<Desc extends DescMessage>(
  schema: Desc,
  fields: MessageInitShape<Desc>,
): EncodedInferMessage {
  const bytes = toBinary(schema, create(schema, fields));
  const chunk = new Uint8Array(FRAME_HEADER_BYTES + bytes.length);
  chunk.set(bytes, FRAME_HEADER_BYTES);
  return { chunks: [chunk], byteLength: bytes.length };
}
