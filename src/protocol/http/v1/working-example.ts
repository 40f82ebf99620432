import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { createJsonWriter } from '../../../base/oip/json-writer.ts';
import { dataLength } from '../../../base/tensor/tensor.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import { writeValues } from './write-values.ts';

/** Longer bodies do not help who reads an error. */
const MAX_ELEMENTS = 64;
const MAX_BYTES = 400;

const WRITER = createJsonWriter();

/**
 * Adds to an INVALID_INPUT error a body that the model is known to answer: most mistakes are seen at once beside
 * one. Other errors, and those of models whose example is long, are returned as they are.
 */
export function withWorkingExample(thrown: unknown, served: ServedModel): unknown {
  if (!(thrown instanceof NimifyError) || thrown.code !== 'INVALID_INPUT') return thrown;
  const body = workingBody(served);
  if (body === undefined) return thrown;
  return new NimifyError('INVALID_INPUT', `${thrown.message}; inputs that work: ${body}`, {
    details: { ...thrown.details, example: JSON.parse(body) as unknown },
    cause: thrown.cause,
  });
}

/** `{"inputs": {...}}`, the one form that every v1 route takes for every model. */
function workingBody({ example }: ServedModel): string | undefined {
  if (example === undefined) return undefined;
  const count = example.inputs.reduce((sum, { data }) => sum + dataLength(data), 0);
  if (count > MAX_ELEMENTS) return undefined;
  WRITER.clear();
  WRITER.ascii('{"inputs":{');
  for (const [index, input] of example.inputs.entries()) {
    if (index > 0) WRITER.ascii(',');
    WRITER.string(input.name);
    WRITER.ascii(':');
    writeValues(input, WRITER);
  }
  WRITER.ascii('}}');
  const bytes = WRITER.take();
  return bytes.length > MAX_BYTES ? undefined : Buffer.from(bytes).toString();
}
