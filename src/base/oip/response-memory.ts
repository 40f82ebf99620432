import type { Datatype } from '../tensor/datatype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { encodeSection } from './binary-tensor.ts';
import { type EncodableResponse, type EncodedMessage, encodeInferResponse } from './encode.ts';

/**
 * Encodes answers of which one is described like the last: where all outputs travel as binary data, names and shapes
 * make the JSON part, and its text is kept.
 */
export interface ResponseMemory {
  /** The same as `encodeInferResponse`, errors included. */
  encode(response: EncodableResponse, isBinary: (output: string) => boolean): EncodedMessage;
}

interface KnownResponse {
  readonly model: string;
  readonly version: string;
  readonly id: string;
  readonly outputs: readonly Described[];
  readonly json: Uint8Array;
}

interface Described {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly sizeBytes: number;
}

export function createResponseMemory(): ResponseMemory {
  let known: KnownResponse | undefined;
  return {
    encode(response, isBinary) {
      if (!isAllBinary(response, isBinary)) return encodeInferResponse(response, isBinary);
      const sections = response.outputs.map(encodeSection);
      if (known === undefined || !isAgain(known, response, sections)) {
        const encoded = encodeInferResponse(response, isBinary);
        known = toKnown(response, sections, encoded.chunks[0]!);
        return encoded;
      }
      const { json } = known;
      const chunks: Uint8Array[] = [json];
      let byteLength = json.byteLength;
      for (const section of sections) {
        if (section.byteLength === 0) continue;
        chunks.push(section);
        byteLength += section.byteLength;
      }
      return { chunks, byteLength, headerLength: json.byteLength };
    },
  };
}

function isAllBinary(
  { outputs, parameters }: EncodableResponse,
  isBinary: (output: string) => boolean,
): boolean {
  if (outputs.length === 0) return false;
  for (const { name } of outputs) if (!isBinary(name)) return false;
  for (const _name in parameters) return false;
  return true;
}

function isAgain(
  known: KnownResponse,
  response: EncodableResponse,
  sections: readonly Uint8Array[],
): boolean {
  const { outputs } = response;
  if (known.model !== response.model || known.version !== response.version || known.id !== response.id)
    return false;
  if (known.outputs.length !== outputs.length) return false;
  for (let at = 0; at < outputs.length; at++) {
    const before = known.outputs[at]!;
    if (before.sizeBytes !== sections[at]!.byteLength || !isSame(before, outputs[at]!)) return false;
  }
  return true;
}

function isSame(before: Described, { name, datatype, shape }: Tensor): boolean {
  if (before.name !== name || before.datatype !== datatype || before.shape.length !== shape.length)
    return false;
  for (let axis = 0; axis < shape.length; axis++) if (before.shape[axis] !== shape[axis]) return false;
  return true;
}

/** Shapes are copied: who made the answer may go on with them. */
function toKnown(
  { model, version, id, outputs }: EncodableResponse,
  sections: readonly Uint8Array[],
  json: Uint8Array,
): KnownResponse {
  const described = outputs.map(({ name, datatype, shape }, at) => ({
    name,
    datatype,
    shape: [...shape],
    sizeBytes: sections[at]!.byteLength,
  }));
  return { model, version, id, outputs: described, json };
}
