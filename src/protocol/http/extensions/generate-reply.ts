import { writeParameterValue } from '../../../base/oip/encode.ts';
import { createJsonWriter } from '../../../base/oip/json-writer.ts';
import { writeTensorJson } from '../../../base/oip/tensor-json.ts';
import { dataLength } from '../../../base/tensor/tensor.ts';
import type { InferResponse } from '../../../model/request.ts';
import type { Reply } from '../reply.ts';

/** One object, or the same as the one event of a stream (WHATWG HTML, 9.2, "Server-sent events"). */
export type GeneratedForm = 'json' | 'event-stream';

const WRITER = createJsonWriter();

const CONTENT_TYPES = {
  json: 'application/json',
  'event-stream': 'text/event-stream; charset=utf-8',
} as const;

/**
 * `{"id", "model_name", "model_version", <parameter>: value, <output>: value or list}`. The first of what is called the
 * same stays, in this order, as in Triton.
 * @throws NimifyError INVALID_INPUT where a BYTES output is no text
 */
export function encodeGenerated(response: InferResponse, form: GeneratedForm): Reply {
  const { id, model, version, parameters, outputs } = response;
  const written = new Set<string>();
  WRITER.clear();
  if (form === 'event-stream') WRITER.ascii('data: ');

  function begin(name: string): boolean {
    if (written.has(name)) return false;
    WRITER.ascii(written.size === 0 ? '{' : ',');
    written.add(name);
    WRITER.string(name);
    WRITER.ascii(':');
    return true;
  }

  const texts = { ...(id === '' ? {} : { id }), model_name: model, model_version: version };
  for (const [name, text] of Object.entries(texts)) if (begin(name)) WRITER.string(text);
  for (const [name, value] of Object.entries(parameters)) {
    if (begin(name)) writeParameterValue(value, WRITER);
  }
  for (const output of outputs) {
    if (!begin(output.name)) continue;
    const isAlone = dataLength(output.data) === 1;
    writeTensorJson(isAlone ? { ...output, shape: [] } : output, WRITER, isAlone ? 'nested' : 'flat');
  }
  WRITER.ascii(form === 'event-stream' ? '}\n\n' : '}');
  const chunk = WRITER.take();
  return {
    status: 200,
    headers: { 'content-type': CONTENT_TYPES[form] },
    chunks: [chunk],
    byteLength: chunk.byteLength,
  };
}
