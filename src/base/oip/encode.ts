import type { Tensor } from '../tensor/tensor.ts';
import { encodeSection } from './binary-tensor.ts';
import { createJsonWriter, type JsonWriter } from './json-writer.ts';
import type { ParameterRecord } from './parameters.ts';
import { writeTensorJson } from './tensor-json.ts';

export interface EncodableResponse {
  readonly model: string;
  readonly version: string;
  /** Left out of the answer where empty. */
  readonly id: string;
  readonly outputs: readonly Tensor[];
  readonly parameters: ParameterRecord;
}

/** A message ready for the wire. */
export interface EncodedMessage {
  /**
   * The JSON, in memory that other messages share, then the sections of the binary tensors: views over the tensors' own
   * elements, so the tensors' owner is released only after the chunks are written out.
   */
  readonly chunks: readonly Uint8Array[];
  readonly byteLength: number;
  /** Value of Inference-Header-Content-Length; undefined where no tensor is binary. */
  readonly headerLength: number | undefined;
}

const WRITER = createJsonWriter();

/**
 * Encodes an answer as OIP's $inference_response, with the outputs that `isBinary` names as binary data behind
 * the JSON. See `writeTensorJson` for how elements are written.
 * @throws NimifyError INVALID_INPUT where a BYTES output that is no text is wanted as JSON
 */
export function encodeInferResponse(
  response: EncodableResponse,
  isBinary: (output: string) => boolean,
): EncodedMessage {
  const { model, version, id, outputs, parameters } = response;
  WRITER.clear();
  WRITER.ascii('{"model_name":');
  WRITER.string(model);
  if (version !== '') {
    WRITER.ascii(',"model_version":');
    WRITER.string(version);
  }
  if (id !== '') {
    WRITER.ascii(',"id":');
    WRITER.string(id);
  }
  writeParameters(parameters, WRITER);
  WRITER.ascii(',"outputs":');
  const sections = writeTensors(outputs, isBinary, WRITER);
  WRITER.ascii('}');
  return toMessage(WRITER.take(), sections);
}

/** `,"parameters":{...}`, or nothing where there are none. */
export function writeParameters(parameters: ParameterRecord, writer: JsonWriter): void {
  let separator = ',"parameters":{';
  for (const [key, value] of Object.entries(parameters)) {
    writer.ascii(separator);
    separator = ',';
    writer.string(key);
    writer.ascii(':');
    writeParameterValue(value, writer);
  }
  if (separator === ',') writer.ascii('}');
}

export function writeParameterValue(value: ParameterRecord[string], writer: JsonWriter): void {
  if (typeof value === 'string') writer.string(value);
  else if (typeof value === 'number') writer.number(value);
  else writer.ascii(value ? 'true' : 'false');
}

/** Writes the array of tensors and returns the sections of those that are binary. */
export function writeTensors(
  tensors: readonly Tensor[],
  isBinary: (name: string) => boolean,
  writer: JsonWriter,
): readonly Uint8Array[] {
  const sections: Uint8Array[] = [];
  writer.ascii('[');
  for (let index = 0; index < tensors.length; index++) {
    const tensor = tensors[index]!;
    writer.ascii(index === 0 ? '{"name":' : ',{"name":');
    writer.string(tensor.name);
    writer.ascii(',"datatype":"');
    writer.ascii(tensor.datatype);
    writer.ascii('","shape":[');
    writeShape(tensor.shape, writer);
    if (isBinary(tensor.name)) {
      const section = encodeSection(tensor);
      sections.push(section);
      writer.ascii('],"parameters":{"binary_data_size":');
      writer.number(section.byteLength);
      writer.ascii('}}');
    } else {
      writer.ascii('],"data":');
      writeTensorJson(tensor, writer, 'flat');
      writer.ascii('}');
    }
  }
  writer.ascii(']');
  return sections;
}

function writeShape(shape: readonly number[], writer: JsonWriter): void {
  for (let axis = 0; axis < shape.length; axis++) {
    if (axis > 0) writer.ascii(',');
    writer.number(shape[axis]!);
  }
}

export function toMessage(json: Uint8Array, sections: readonly Uint8Array[]): EncodedMessage {
  if (sections.length === 0) return { chunks: [json], byteLength: json.byteLength, headerLength: undefined };
  const chunks = [json, ...sections.filter((section) => section.byteLength > 0)];
  let byteLength = 0;
  for (const chunk of chunks) byteLength += chunk.byteLength;
  return { chunks, byteLength, headerLength: json.byteLength };
}
