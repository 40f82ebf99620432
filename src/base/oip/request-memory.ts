import type { Datatype } from '../tensor/datatype.ts';
import { elementCount, isBytesData, type Tensor } from '../tensor/tensor.ts';
import { decodeSection } from './binary-tensor.ts';
import { decodeInferRequest } from './decode.ts';
import type { DecodedInferRequest } from './decoded-request.ts';

/**
 * Decodes requests of which one begins like the last: a client that sends binary tensors of one shape sends one JSON
 * part again and again. What it said is remembered, and the sections behind it are read by that.
 */
export interface RequestMemory {
  /** The same as `decodeInferRequest`, errors included. */
  decode(body: Uint8Array, headerLength: number | undefined): DecodedInferRequest;
}

/** Longer JSON parts are decoded afresh: they hold elements, or are rare. */
const LARGEST_KNOWN_BYTES = 2048;

interface KnownRequest {
  readonly json: Buffer;
  /** Length of the whole body. */
  readonly bodyBytes: number;
  readonly sections: readonly Section[];
  readonly rest: Omit<DecodedInferRequest, 'inputs'>;
}

interface Section {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;
  readonly sizeBytes: number;
  readonly where: string;
}

export function createRequestMemory(): RequestMemory {
  let known: KnownRequest | undefined;
  return {
    decode(body, headerLength) {
      if (headerLength === undefined) return decodeInferRequest(body, undefined);
      if (known !== undefined && isAgain(known, body, headerLength))
        return decodeAgain(known, body, headerLength);
      const decoded = decodeInferRequest(body, headerLength);
      known = toKnown(decoded, body, headerLength);
      return decoded;
    },
  };
}

function isAgain({ json, bodyBytes }: KnownRequest, body: Uint8Array, headerLength: number): boolean {
  return (
    json.length === headerLength &&
    bodyBytes === body.length &&
    json.compare(body, 0, headerLength, 0, headerLength) === 0
  );
}

function decodeAgain(
  { sections, rest }: KnownRequest,
  body: Uint8Array,
  headerLength: number,
): DecodedInferRequest {
  const inputs: Tensor[] = [];
  let at = body.byteOffset + headerLength;
  for (const { name, datatype, shape, count, sizeBytes, where } of sections) {
    const data = decodeSection(new Uint8Array(body.buffer, at, sizeBytes), datatype, count, where);
    inputs.push({ name, datatype, shape, data });
    at += sizeBytes;
  }
  const { id, parameters, outputs, binaryByDefault } = rest;
  return { id, parameters, inputs, outputs, binaryByDefault };
}

/** Undefined where elements came in the JSON, which then is not the same next time. */
function toKnown(
  decoded: DecodedInferRequest,
  body: Uint8Array,
  headerLength: number,
): KnownRequest | undefined {
  if (headerLength > LARGEST_KNOWN_BYTES) return undefined;
  const sections = decoded.inputs.map(toSection);
  let sectionBytes = 0;
  for (const { sizeBytes } of sections) sectionBytes += sizeBytes;
  // The sections that came add up to the rest of the body; elements from the JSON would make it more.
  if (headerLength + sectionBytes !== body.length) return undefined;
  const { inputs: _inputs, ...rest } = decoded;
  const json = Buffer.from(body.subarray(0, headerLength));
  return { json, bodyBytes: body.length, sections, rest };
}

function toSection({ name, datatype, shape, data }: Tensor, index: number): Section {
  const count = elementCount(shape);
  const sizeBytes = isBytesData(data) ? data.bytes.byteLength + 4 * count : data.byteLength;
  return { name, datatype, shape, count, sizeBytes, where: `inputs[${index}].parameters.binary_data_size` };
}
