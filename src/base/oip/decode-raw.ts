import type { Datatype } from '../tensor/datatype.ts';
import { elementSizeBytes } from '../tensor/datatype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { decodeSection } from './binary-tensor.ts';
import type { DecodedInferRequest } from './decoded-request.ts';
import { mismatchError } from './json-error.ts';

/** The model's one input; -1 stands for a dynamic dimension. */
export interface RawInputSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** 0: dimension 0 counts rows, and a raw body is one row if another dimension is dynamic as well. */
  readonly batchAxis?: 0 | 'none';
}

/**
 * Decodes a body that is nothing but the bytes of the model's one input: Inference-Header-Content-Length is 0
 * (extension_binary_data.md, "Raw Binary Request"). The single dynamic dimension follows from the number of
 * bytes. For BYTES the body is one element, without a length before it, and the shape must allow exactly one.
 * All outputs are wanted as binary data.
 * @throws NimifyError INVALID_INPUT where the shape does not follow from the bytes
 */
export function decodeRawRequest(body: Uint8Array, spec: RawInputSpec): DecodedInferRequest {
  const tensor = spec.datatype === 'BYTES' ? rawBytes(body, spec) : rawFixed(body, spec);
  return { id: '', parameters: {}, inputs: [tensor], outputs: undefined, binaryByDefault: true };
}

function rawBytes(body: Uint8Array, { name, shape }: RawInputSpec): Tensor {
  const allowsOne = shape.every((size, axis) => size === 1 || (size === -1 && axis === 0));
  if (!allowsOne) {
    throw mismatchError(
      `input '${name}'`,
      'a raw body only where the shape holds one element of BYTES',
      `the shape [${shape.join(',')}]; describe the tensor in a JSON header`,
    );
  }
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  const data = { bytes, offsets: Uint32Array.of(0, bytes.length) };
  return { name, datatype: 'BYTES', shape: shape.map(() => 1), data };
}

function rawFixed(body: Uint8Array, spec: RawInputSpec): Tensor {
  const { name, shape } = spec;
  const datatype = spec.datatype as Exclude<Datatype, 'BYTES'>;
  const where = `input '${name}'`;
  const concrete = [...shape];
  const dynamic = () => concrete.filter((size) => size === -1).length;
  if (dynamic() > 1 && spec.batchAxis === 0) concrete[0] = 1;
  if (dynamic() > 1) {
    throw mismatchError(
      where,
      'at most one dynamic dimension for a raw body',
      `the shape [${shape.join(',')}]; describe the tensor in a JSON header`,
    );
  }
  const axis = concrete.indexOf(-1);
  if (axis >= 0) {
    concrete[axis] = 1;
    const rowBytes = elementCount(concrete) * elementSizeBytes(datatype);
    if (rowBytes > 0 && body.byteLength % rowBytes !== 0) {
      throw mismatchError(
        where,
        `a multiple of ${rowBytes} bytes (${datatype} of shape [${shape.join(',')}])`,
        `${body.byteLength} bytes`,
      );
    }
    concrete[axis] = rowBytes > 0 ? body.byteLength / rowBytes : 0;
  }
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return {
    name,
    datatype,
    shape: concrete,
    data: decodeSection(bytes, datatype, elementCount(concrete), where),
  };
}
