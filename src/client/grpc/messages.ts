/** The messages of open_inference_grpc.proto besides inference, as far as a client needs them. */

import type { EncodedInferMessage } from '../../base/oip/encode-protobuf.ts';
import { FRAME_HEADER_BYTES } from '../../base/oip/grpc-frame.ts';
import {
  type Cursor,
  createCursor,
  DELIMITED,
  readDelimited,
  readTag,
  readText,
  readVarint,
  skipField,
  toSigned,
  VARINT,
} from '../../base/oip/protobuf-cursor.ts';
import { createProtobufWriter } from '../../base/oip/protobuf-writer.ts';

const WRITER = createProtobufWriter();

/** A message that names a model, or nothing: ModelReadyRequest, ModelMetadataRequest, ServerLiveRequest and so on. */
export function writeModelName(model = '', version = ''): EncodedInferMessage {
  WRITER.clear(FRAME_HEADER_BYTES);
  WRITER.text(1, model);
  WRITER.text(2, version);
  return WRITER.take();
}

/** Field 1 of ServerLiveResponse, ServerReadyResponse and ModelReadyResponse. @throws NimifyError INVALID_INPUT */
export function readAnswer(bytes: Uint8Array): boolean {
  let answer = false;
  readFields(bytes, 0, bytes.length, (tag, cursor) => {
    if (tag !== ((1 << 3) | VARINT)) return false;
    readVarint(cursor, 'message');
    answer = cursor.low !== 0 || cursor.high !== 0;
    return true;
  });
  return answer;
}

/** ServerMetadataResponse, in the form that JSON gives it. @throws NimifyError INVALID_INPUT */
export function readServerMetadata(bytes: Uint8Array): unknown {
  const metadata = { name: '', version: '', extensions: [] as string[] };
  readFields(bytes, 0, bytes.length, (tag, cursor) => {
    if (tag === ((1 << 3) | DELIMITED)) metadata.name = readText(cursor, 'name');
    else if (tag === ((2 << 3) | DELIMITED)) metadata.version = readText(cursor, 'version');
    else if (tag === ((3 << 3) | DELIMITED)) metadata.extensions.push(readText(cursor, 'extensions'));
    else return false;
    return true;
  });
  return metadata;
}

/** ModelMetadataResponse, in the form that JSON gives it. @throws NimifyError INVALID_INPUT */
export function readModelMetadata(bytes: Uint8Array): unknown {
  const metadata = {
    name: '',
    versions: [] as string[],
    platform: '',
    inputs: [] as TensorFields[],
    outputs: [] as TensorFields[],
  };
  readFields(bytes, 0, bytes.length, (tag, cursor) => {
    if (tag === ((1 << 3) | DELIMITED)) metadata.name = readText(cursor, 'name');
    else if (tag === ((2 << 3) | DELIMITED)) metadata.versions.push(readText(cursor, 'versions'));
    else if (tag === ((3 << 3) | DELIMITED)) metadata.platform = readText(cursor, 'platform');
    else if (tag === ((4 << 3) | DELIMITED)) metadata.inputs.push(readTensor(cursor, 'inputs'));
    else if (tag === ((5 << 3) | DELIMITED)) metadata.outputs.push(readTensor(cursor, 'outputs'));
    else return false;
    return true;
  });
  return metadata;
}

interface TensorFields {
  name: string;
  datatype: string;
  readonly shape: number[];
}

/** TensorMetadata, whose length comes next. */
function readTensor(cursor: Cursor, where: string): TensorFields {
  const tensor: TensorFields = { name: '', datatype: '', shape: [] };
  const end = readDelimited(cursor, where);
  readFields(cursor.bytes, cursor.at, end, (tag, inner) => {
    if (tag === ((1 << 3) | DELIMITED)) tensor.name = readText(inner, where);
    else if (tag === ((2 << 3) | DELIMITED)) tensor.datatype = readText(inner, where);
    else if (tag === ((3 << 3) | VARINT)) tensor.shape.push(readSize(inner, where));
    else if (tag === ((3 << 3) | DELIMITED)) {
      const packedEnd = readDelimited(inner, where);
      while (inner.at < packedEnd) tensor.shape.push(readSize(inner, where));
    } else return false;
    return true;
  });
  cursor.at = end;
  return tensor;
}

function readSize(cursor: Cursor, where: string): number {
  readVarint(cursor, where);
  return toSigned(cursor);
}

/** @param read reads the field whose tag was read; false: it is unknown */
function readFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  read: (tag: number, cursor: Cursor) => boolean,
): void {
  const cursor = createCursor(bytes, start, end);
  while (cursor.at < end) {
    const tag = readTag(cursor, 'message');
    if (!read(tag, cursor)) skipField(cursor, tag, 'message');
  }
}
