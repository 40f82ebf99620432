/**
 * ModelInfer as protobuf, written by hand, as the bytes that h2load sends: field numbers are those of
 * proto/inference/infer.proto.
 */
import { bareBody } from './bodies.mjs';

const MODEL_NAME = 1;
const INPUTS = 5;
const RAW_INPUT_CONTENTS = 7;
const [NAME, DATATYPE, SHAPE] = [1, 2, 3];
const LENGTH_DELIMITED = 2;
const FRAME_HEADER_BYTES = 5;

/** One request with raw contents, in the frame that gRPC puts before it (PROTOCOL-HTTP2.md). */
export function grpcBody(model) {
  const tensors = model.inputs.map(({ name, datatype, shape }) =>
    field(
      INPUTS,
      Buffer.concat([
        field(NAME, Buffer.from(name)),
        field(DATATYPE, Buffer.from(datatype)),
        field(SHAPE, Buffer.concat(shape.map(varint))),
      ]),
    ),
  );
  const contents = model.inputs.map((input) => field(RAW_INPUT_CONTENTS, bareBody({ inputs: [input] })));
  const message = Buffer.concat([field(MODEL_NAME, Buffer.from('m')), ...tensors, ...contents]);
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

function field(number, bytes) {
  return Buffer.concat([varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]);
}

function varint(value) {
  const bytes = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
