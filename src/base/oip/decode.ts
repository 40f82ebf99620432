import { invalidInput } from '../errors/nimify-error.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { DecodedInferRequest, RequestedOutput } from './decoded-request.ts';
import { expectedError, mismatchError } from './json-error.ts';
import { expectEnd, readString, refuseNonJsonStart, scanArray, scanObject, shorten } from './json-object.ts';
import { hasWord, skipSpace, skipValue } from './json-value.ts';
import { NameSet } from './name-set.ts';
import { type ParameterMap, scanParameters, takeBoolean, takeCount, toRecord } from './parameters.ts';
import {
  type BinaryPart,
  createBinaryPart,
  expectAllTaken,
  refuseSharedMemory,
  refuseTwice,
  scanTensorEntry,
} from './tensor-entry.ts';

/**
 * Decodes the body of an inference request: the JSON object of the Open Inference Protocol
 * (inference_rest.md, "Inference Request JSON Object"), then, if there is an Inference-Header-Content-Length,
 * binary data. The body is scanned, not parsed: elements go straight from its bytes into typed arrays.
 *
 * `data` may be flat or nested by shape. FP16 and BF16 are taken from JSON numbers as well, rounded to nearest.
 * Unknown members are passed over; a known member that is null counts as absent.
 * @throws NimifyError INVALID_INPUT with place, expected and got; UNSUPPORTED for shared memory
 */
export function decodeInferRequest(body: Uint8Array, headerLength: number | undefined): DecodedInferRequest {
  const { json, part } = splitBody(body, headerLength);
  refuseNonJsonStart(json, 'body');
  let id = '';
  let parameters: ParameterMap | undefined;
  let inputs: readonly Tensor[] | undefined;
  let outputs: readonly RequestedOutput[] | undefined;
  const end = scanObject(json, 0, 'body', (key, at) => {
    if (hasWord(json, at, 'null')) return at + 4;
    switch (key) {
      case 'id': {
        const scanned = readString(json, at, 'id');
        id = scanned.text;
        return scanned.end;
      }
      case 'parameters': {
        const scanned = scanParameters(json, at, 'parameters');
        parameters = scanned.parameters;
        return scanned.end;
      }
      case 'inputs': {
        const scanned = scanTensors(json, at, 'inputs', part);
        inputs = scanned.tensors;
        return scanned.end;
      }
      case 'outputs': {
        const scanned = scanRequestedOutputs(json, at);
        outputs = scanned.outputs;
        return scanned.end;
      }
      default:
        return skipValue(json, at, () => shorten(key));
    }
  });
  expectEnd(json, end, 'body');
  if (inputs === undefined) {
    throw invalidInput("body: expected a member 'inputs' with the input tensors, got none", {
      where: 'body',
      expected: 'inputs',
    });
  }
  expectAllTaken(part, 'inputs');
  if (parameters === undefined) return { id, parameters: {}, inputs, outputs, binaryByDefault: false };
  const binaryByDefault = takeBoolean(parameters, 'binary_data_output', 'parameters') ?? false;
  return { id, parameters: toRecord(parameters), inputs, outputs, binaryByDefault };
}

/** The JSON of a message, and the binary part behind it. A plain Uint8Array keeps the scanner's loops fast. */
export function splitBody(
  body: Uint8Array,
  headerLength: number | undefined,
): { readonly json: Uint8Array; readonly part: BinaryPart } {
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  if (headerLength === undefined) return { json: bytes, part: createBinaryPart(undefined) };
  if (!Number.isSafeInteger(headerLength) || headerLength < 0 || headerLength > bytes.length) {
    throw mismatchError(
      'Inference-Header-Content-Length',
      `the length of the JSON within the body of ${bytes.length} bytes`,
      String(headerLength),
    );
  }
  return { json: bytes.subarray(0, headerLength), part: createBinaryPart(bytes.subarray(headerLength)) };
}

/** An array of tensors with unique names. */
export function scanTensors(
  bytes: Uint8Array,
  at: number,
  where: string,
  part: BinaryPart,
): { readonly tensors: readonly Tensor[]; readonly end: number } {
  const tensors: Tensor[] = [];
  const names = new NameSet();
  const end = scanArray(bytes, at, where, (index, entryAt) => {
    const { tensor, end } = scanTensorEntry(bytes, entryAt, `${where}[${index}]`, part);
    refuseTwice(names, tensor.name, `${where}[${index}].name`);
    tensors.push(tensor);
    return end;
  });
  return { tensors, end };
}

function scanRequestedOutputs(
  bytes: Uint8Array,
  at: number,
): { readonly outputs: readonly RequestedOutput[] | undefined; readonly end: number } {
  const outputs: RequestedOutput[] = [];
  const names = new NameSet();
  const end = scanArray(bytes, at, 'outputs', (index, entryAt) => {
    const { output, end } = scanRequestedOutput(bytes, entryAt, `outputs[${index}]`);
    refuseTwice(names, output.name, `outputs[${index}].name`);
    outputs.push(output);
    return end;
  });
  return { outputs: outputs.length === 0 ? undefined : outputs, end };
}

function scanRequestedOutput(
  bytes: Uint8Array,
  at: number,
  where: string,
): { readonly output: RequestedOutput; readonly end: number } {
  let name: string | undefined;
  let parameters: ParameterMap | undefined;
  const start = skipSpace(bytes, at);
  const end = scanObject(bytes, start, where, (key, valueAt) => {
    if (hasWord(bytes, valueAt, 'null')) return valueAt + 4;
    if (key === 'name') {
      const scanned = readString(bytes, valueAt, `${where}.name`);
      name = scanned.text;
      return scanned.end;
    }
    if (key === 'parameters') {
      const scanned = scanParameters(bytes, valueAt, `${where}.parameters`);
      parameters = scanned.parameters;
      return scanned.end;
    }
    return skipValue(bytes, valueAt, () => `${where}.${shorten(key)}`);
  });
  if (name === undefined) throw expectedError(where, "a member 'name'", bytes, start);
  if (parameters === undefined) {
    return { output: { name, binary: undefined, classification: undefined, parameters: {} }, end };
  }
  refuseSharedMemory(parameters, `${where}.parameters`);
  const binary = takeBoolean(parameters, 'binary_data', `${where}.parameters`);
  // tritonclient leaves the parameter out for 0; others send it, and mean the tensor itself.
  const classification = takeCount(parameters, 'classification', `${where}.parameters`) || undefined;
  return { output: { name, binary, classification, parameters: toRecord(parameters) }, end };
}
