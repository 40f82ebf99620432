import type { Tensor } from '../tensor/tensor.ts';
import { decodeTensor, noteSpan, tooMany } from './decode-protobuf.ts';
import type { DecodedInferResponse } from './decode-response.ts';
import { type InferMessage, RAW_OUTPUT_CONTENTS } from './infer-message.ts';
import { mismatchError } from './json-error.ts';
import { MAX_ENTRIES } from './json-object.ts';
import { NameSet } from './name-set.ts';
import { type ParameterMap, toRecord } from './parameters.ts';
import type { Span } from './protobuf-contents.ts';
import { createCursor, DELIMITED, readDelimited, readTag, readText, skipField } from './protobuf-cursor.ts';
import { readParameter } from './protobuf-parameters.ts';
import { refuseTwice } from './tensor-entry.ts';

/**
 * Decodes a ModelInferResponse (open_inference_grpc.proto), the client's side of `encodeModelInferResponse`. Outputs
 * may be raw or typed contents, as servers choose. Raw ones become views where they are aligned, as they are where
 * `createInferMessageSink` took them out of the message; else they are copied once.
 * @throws NimifyError INVALID_INPUT where the message is no such answer
 */
export function decodeModelInferResponse({ bytes, rawContents = [] }: InferMessage): DecodedInferResponse {
  const texts = { model: '', version: '', id: '' };
  const parameters: ParameterMap = new Map();
  const spans: Span[] = [];
  const raw = [...rawContents];
  const cursor = createCursor(bytes);
  while (cursor.at < cursor.end) {
    const tag = readTag(cursor, 'message');
    switch (tag) {
      case (1 << 3) | DELIMITED:
        texts.model = readText(cursor, 'model_name');
        break;
      case (2 << 3) | DELIMITED:
        texts.version = readText(cursor, 'model_version');
        break;
      case (3 << 3) | DELIMITED:
        texts.id = readText(cursor, 'id');
        break;
      case (4 << 3) | DELIMITED:
        readParameter(cursor, parameters, 'parameters');
        break;
      case (5 << 3) | DELIMITED:
        noteSpan(spans, cursor, 'outputs');
        break;
      case (RAW_OUTPUT_CONTENTS << 3) | DELIMITED: {
        const end = readDelimited(cursor, 'raw_output_contents');
        raw.push(bytes.subarray(cursor.at, end));
        if (raw.length > MAX_ENTRIES) throw tooMany('raw_output_contents');
        cursor.at = end;
        break;
      }
      default:
        skipField(cursor, tag, 'message');
    }
  }
  if (raw.length > 0 && raw.length !== spans.length) {
    throw mismatchError('raw_output_contents', `${spans.length}, one for each of outputs`, `${raw.length}`);
  }
  return { ...texts, outputs: decodeOutputs(bytes, spans, raw), parameters: toRecord(parameters) };
}

function decodeOutputs(bytes: Uint8Array, spans: readonly Span[], raw: readonly Uint8Array[]): Tensor[] {
  const names = new NameSet();
  return spans.map((span, index) => {
    const where = `outputs[${index}]`;
    const tensor = decodeTensor(bytes, span, raw[index], where, 'raw_output_contents', index);
    refuseTwice(names, tensor.name, () => `${where}.name`);
    return tensor;
  });
}
