import { createJsonWriter, type JsonWriter } from '../../../base/oip/json-writer.ts';
import { ownMember } from '../../../base/util/own-member.ts';
import type { InferResponse } from '../../../model/request.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import { labelsOf, type OutputLabels } from './top-labels.ts';
import { writeValues } from './write-values.ts';

const WRITER = createJsonWriter();

/**
 * `{"model", "version", "outputs": {name: nested values}, "labels": {name: ...}}`; `labels` only where the model
 * has class names, by output the best of each row with their scores, or the name of each row.
 */
export function encodeSimple(response: InferResponse, served: ServedModel): Uint8Array {
  WRITER.clear();
  WRITER.ascii('{"model":');
  WRITER.string(response.model);
  WRITER.ascii(',"version":');
  WRITER.string(response.version);
  WRITER.ascii(',"outputs":{');
  for (const [index, output] of response.outputs.entries()) {
    if (index > 0) WRITER.ascii(',');
    WRITER.string(output.name);
    WRITER.ascii(':');
    writeValues(output, WRITER);
  }
  WRITER.ascii('}');
  writeLabels(response, served, WRITER);
  WRITER.ascii('}');
  return WRITER.take();
}

function writeLabels(response: InferResponse, served: ServedModel, writer: JsonWriter): void {
  let separator = ',"labels":{';
  for (const output of response.outputs) {
    const names = ownMember(served.labels, output.name);
    const labels = names && labelsOf(output, names);
    if (labels === undefined) continue;
    writer.ascii(separator);
    separator = ',';
    writer.string(output.name);
    writer.ascii(':');
    writeOutputLabels(labels, writer);
  }
  if (separator === ',') writer.ascii('}');
}

function writeOutputLabels(labels: OutputLabels, writer: JsonWriter): void {
  writer.ascii('[');
  for (const [index, row] of labels.entries()) {
    if (index > 0) writer.ascii(',');
    if (row === null) writer.ascii('null');
    else if (typeof row === 'string') writer.string(row);
    else {
      writer.ascii('[');
      for (const [place, { label, score }] of row.entries()) {
        writer.ascii(place === 0 ? '{"label":' : ',{"label":');
        writer.string(label);
        writer.ascii(',"score":');
        if (score === null) writer.ascii('null');
        else writer.number(score);
        writer.ascii('}');
      }
      writer.ascii(']');
    }
  }
  writer.ascii(']');
}
