import { ROOT } from '../harness/places.mjs';

/** The models of models/make_models.py, and the same sums by a Python function that fails when it is told to. */
export const SUMS = { name: 'sums', path: `${ROOT}/bench/chaos/models/sums.onnx` };
export const SINES = { name: 'sines', path: `${ROOT}/bench/chaos/models/sines.onnx` };
export const FAILING = { name: 'failing', path: `${ROOT}/bench/chaos/models/failing.py` };

const INPUTS = 8;
const OUTPUTS = 4;
/** Inputs are whole numbers of at most half of it, so that all sums are exact. */
const VALUES = 97;

/**
 * A request of one row that no other of the run has, and its answer, computed here.
 *
 * @param number of the request; three inputs spell it
 * @param random numbers in [0, 1), for the other inputs
 * @param deadlineMs told to the server as the request's timeout, where it is told
 */
export function requestOf({ number, model, isBinary, deadlineMs, tellsDeadline = true, random }) {
  const data = Float32Array.from({ length: INPUTS }, (_, at) => {
    const value = at < 3 ? Math.floor(number / VALUES ** at) % VALUES : Math.floor(random() * VALUES);
    return value - Math.floor(VALUES / 2);
  });
  const answer = Float32Array.from({ length: OUTPUTS }, (_, output) =>
    data.reduce((sum, value, input) => sum + value * weightOf(input, output), output),
  );
  return {
    ...{ number, model, isBinary, deadlineMs },
    parameters: tellsDeadline ? { timeout: deadlineMs * 1000 } : {},
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, INPUTS], data }],
    expected: [{ name: 'y', datatype: 'FP32', bytes: Buffer.from(answer.buffer) }],
  };
}

function weightOf(input, output) {
  return ((input * OUTPUTS + output) % 7) - 3;
}
