/**
 * Every server must give the same answer to the same request before it is measured: these read the elements of
 * the last output, whatever form the answer has.
 */
export function elementsOfJson(body) {
  return Float64Array.from(JSON.parse(body.toString()).outputs.at(-1).data.flat(9), Number);
}

/** Of the Open Inference Protocol's binary form. */
export function elementsOfBinary(body, headers) {
  const headerLength = Number(headers['inference-header-content-length']);
  const { outputs } = JSON.parse(body.subarray(0, headerLength).toString());
  return lastFloats(body, outputs.at(-1).parameters.binary_data_size);
}

/** Of the outputs' bytes one after another, the last of which is FP32 and as long as in the other answers. */
export function elementsOfBare(body, _headers, count) {
  return lastFloats(body, count * 4);
}

const FRAME_HEADER_BYTES = 5;
const LENGTH_DELIMITED = 2;
/** Fields of ModelInferResponse, of its tensors, and of their typed contents (proto/inference/infer.proto). */
const [OUTPUTS, RAW_OUTPUT_CONTENTS] = [5, 6];
const CONTENTS = 5;
const FP32_CONTENTS = 6;

/** Of a gRPC message: raw contents, or those of the last output in its typed ones. */
export function elementsOfGrpc(body) {
  const length = body.readUInt32BE(1);
  if (body[0] !== 0 || body.length !== FRAME_HEADER_BYTES + length) throw new Error('not one plain message');
  const fields = fieldsOf(body.subarray(FRAME_HEADER_BYTES));
  const bytes =
    lastOf(fields, RAW_OUTPUT_CONTENTS) ??
    lastOf(fieldsOf(lastOf(fieldsOf(lastOf(fields, OUTPUTS)), CONTENTS)), FP32_CONTENTS);
  return lastFloats(bytes, bytes.length);
}

/** The delimited fields of a message, as pairs of number and bytes; others are passed over. */
function fieldsOf(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = readVarint(bytes, at);
    const [value, end] = readVarint(bytes, afterTag);
    at = end;
    if ((tag & 7) !== LENGTH_DELIMITED) continue;
    found.push([tag >> 3, bytes.subarray(at, at + value)]);
    at += value;
  }
  return found;
}

function lastOf(fields, number) {
  return fields.filter(([field]) => field === number).at(-1)?.[1];
}

/** The value and where it ends. */
function readVarint(bytes, from) {
  let value = 0;
  for (let at = from, scale = 1; ; at += 1, scale *= 128) {
    value += (bytes[at] & 127) * scale;
    if (bytes[at] < 128) return [value, at + 1];
  }
}

function lastFloats(body, sizeBytes) {
  const copy = Uint8Array.from(body.subarray(body.length - sizeBytes));
  return Float64Array.from(new Float32Array(copy.buffer));
}

/** Undefined where they agree, else what differs. */
export function differenceOf(expected, got) {
  if (expected.length !== got.length) return `${got.length} elements instead of ${expected.length}`;
  for (let index = 0; index < expected.length; index += 1) {
    const tolerance = 1e-4 + 1e-3 * Math.abs(expected[index]);
    if (!(Math.abs(expected[index] - got[index]) <= tolerance)) {
      return `element ${index} is ${got[index]} instead of ${expected[index]}`;
    }
  }
  return undefined;
}
