import { createJsonWriter } from '../../../base/oip/json-writer.ts';
import { writeTensorJson } from '../../../base/oip/tensor-json.ts';
import { dataLength, type Tensor } from '../../../base/tensor/tensor.ts';

export type JsonValue =
  | number
  | string
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Longer tensors would make the document too long to read, and examples are for reading. */
const MAX_ELEMENTS = 4096;

const WRITER = createJsonWriter();

/**
 * The elements of a tensor as the values that a JSON body holds. Undefined where an example cannot show them:
 * too many, 64-bit integers beyond what most JSON readers keep, or bytes that are no text.
 */
export function jsonValues(tensor: Tensor, layout: 'flat' | 'nested'): JsonValue | undefined {
  if (dataLength(tensor.data) > MAX_ELEMENTS || holdsLargeIntegers(tensor)) return undefined;
  WRITER.clear();
  try {
    writeTensorJson(tensor, WRITER, layout);
  } catch {
    return undefined;
  }
  return JSON.parse(Buffer.from(WRITER.take()).toString()) as JsonValue;
}

function holdsLargeIntegers({ data }: Tensor): boolean {
  if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return false;
  return data.some((value: bigint) => !Number.isSafeInteger(Number(value)));
}
