import type { Tensor } from '../tensor/tensor.ts';
import { type EncodedMessage, toMessage, writeParameters, writeTensors } from './encode.ts';
import { createJsonWriter } from './json-writer.ts';
import type { ParameterRecord } from './parameters.ts';

export interface EncodableRequest {
  /** Echoed in the answer. Default: none. */
  readonly id?: string;
  readonly parameters?: ParameterRecord;
  readonly inputs: readonly Tensor[];
  /** Names of the wanted outputs. Default: all. */
  readonly outputs?: readonly string[];
}

const WRITER = createJsonWriter();

/**
 * Encodes an inference request, the client's side of `decodeInferRequest`. With `binary` the inputs travel as
 * binary data and all outputs are asked for as such; without it everything is JSON.
 * @throws NimifyError INVALID_INPUT where a BYTES input that is no text is to be sent as JSON
 */
export function encodeInferRequest(
  request: EncodableRequest,
  { binary }: { readonly binary: boolean },
): EncodedMessage {
  const { id = '', parameters = {}, inputs, outputs = [] } = request;
  WRITER.clear();
  WRITER.ascii('{"inputs":');
  const sections = writeTensors(inputs, () => binary, WRITER);
  if (id !== '') {
    WRITER.ascii(',"id":');
    WRITER.string(id);
  }
  // Triton looks at `binary_data_output` only where an output does not say it itself, so both are sent.
  writeParameters(binary ? { ...parameters, binary_data_output: true } : parameters, WRITER);
  for (const [index, name] of outputs.entries()) {
    WRITER.ascii(index === 0 ? ',"outputs":[{"name":' : ',{"name":');
    WRITER.string(name);
    WRITER.ascii(`,"parameters":{"binary_data":${binary}}}`);
  }
  WRITER.ascii(outputs.length === 0 ? '}' : ']}');
  return toMessage(WRITER.take(), sections);
}
