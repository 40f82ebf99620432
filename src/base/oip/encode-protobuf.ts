import type { Tensor } from '../tensor/tensor.ts';
import { encodeSection } from './binary-tensor.ts';
import type { EncodableResponse } from './encode.ts';
import type { EncodableRequest } from './encode-request.ts';
import { RAW_INPUT_CONTENTS, RAW_OUTPUT_CONTENTS } from './infer-message.ts';
import type { ParameterRecord } from './parameters.ts';
import { createProtobufWriter, type ProtobufWriter } from './protobuf-writer.ts';

export interface EncodedInferMessage {
  /**
   * The message in pieces: what was written, and views over the elements of large tensors, whose owner is released
   * only after the pieces are written out. The first begins with the headroom, whose bytes say nothing yet.
   */
  readonly chunks: readonly Uint8Array[];
  /** Without the headroom. */
  readonly byteLength: number;
}

/** Smaller tensors are copied in among the rest: a piece of its own would cost more than their bytes. */
const OWN_PIECE_BYTES = 4096;

const WRITER = createProtobufWriter();

/**
 * Encodes an answer as ModelInferResponse (open_inference_grpc.proto), all outputs as `raw_output_contents`, as
 * Triton does.
 *
 * @param headroomBytes room to leave at the start, for a frame's header
 */
export function encodeModelInferResponse(
  response: EncodableResponse,
  headroomBytes: number,
): EncodedInferMessage {
  WRITER.clear(headroomBytes);
  writeResponse(response);
  return WRITER.take();
}

/** The same as the `infer_response` of a ModelStreamInferResponse (Triton's grpc_service.proto). */
export function encodeModelStreamInferResponse(
  response: EncodableResponse,
  headroomBytes: number,
): EncodedInferMessage {
  WRITER.clear(headroomBytes);
  WRITER.nested(2, () => writeResponse(response));
  return WRITER.take();
}

/** A refusal within a stream, which goes on: `error_message`, and the id of the request that it is about. */
export function encodeStreamError(message: string, id: string, headroomBytes: number): EncodedInferMessage {
  WRITER.clear(headroomBytes);
  WRITER.text(1, message);
  if (id !== '') WRITER.nested(2, () => WRITER.text(3, id));
  return WRITER.take();
}

/** A request, and the model that it is for. */
export interface EncodableModelInfer extends EncodableRequest {
  readonly model: string;
  /** Empty: the server's choice. */
  readonly version: string;
}

/**
 * Encodes a ModelInferRequest, the client's side of `decodeModelInferRequest`, with all inputs as raw contents: as
 * typed contents they would cost both sides several times as much, and FP16 has none.
 *
 * @param headroomBytes room to leave at the start, for a frame's header
 */
export function encodeModelInferRequest(
  { model, version, id = '', parameters = {}, inputs, outputs = [] }: EncodableModelInfer,
  headroomBytes: number,
): EncodedInferMessage {
  WRITER.clear(headroomBytes);
  WRITER.text(1, model);
  WRITER.text(2, version);
  WRITER.text(3, id);
  writeParameters(4, parameters, WRITER);
  for (const input of inputs) WRITER.nested(5, () => writeTensor(input, WRITER));
  for (const name of outputs) WRITER.nested(6, () => WRITER.text(1, name));
  writeRawContents(RAW_INPUT_CONTENTS, inputs);
  return WRITER.take();
}

function writeResponse({ model, version, id, outputs, parameters }: EncodableResponse): void {
  WRITER.text(1, model);
  WRITER.text(2, version);
  WRITER.text(3, id);
  writeParameters(4, parameters, WRITER);
  for (const output of outputs) WRITER.nested(5, () => writeTensor(output, WRITER));
  writeRawContents(RAW_OUTPUT_CONTENTS, outputs);
}

function writeRawContents(field: number, tensors: readonly Tensor[]): void {
  for (const tensor of tensors) {
    const section = encodeSection(tensor);
    if (section.byteLength < OWN_PIECE_BYTES) WRITER.bytes(field, section);
    else WRITER.piece(field, section);
  }
}

function writeTensor({ name, datatype, shape }: Tensor, writer: ProtobufWriter): void {
  writer.text(1, name);
  writer.text(2, datatype);
  if (shape.length === 0) return;
  writer.nested(3, () => {
    for (const size of shape) writer.varint(size);
  });
}

function writeParameters(field: number, parameters: ParameterRecord, writer: ProtobufWriter): void {
  for (const [key, value] of Object.entries(parameters)) {
    writer.nested(field, () => {
      writer.text(1, key);
      writer.nested(2, () => writeParameterValue(value, writer));
    });
  }
}

/** InferParameter: one of its choices is always there, also where it holds protobuf's default. */
function writeParameterValue(value: string | number | boolean, writer: ProtobufWriter): void {
  if (typeof value === 'string') writer.bytes(3, Buffer.from(value));
  else if (typeof value === 'boolean') writer.number(1, Number(value));
  else if (Number.isSafeInteger(value)) writer.number(2, value);
  else writer.double(4, value);
}
