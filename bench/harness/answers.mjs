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
