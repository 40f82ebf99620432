import { NimifyError } from '../../../base/errors/nimify-error.ts';
import type { JsonWriter } from '../../../base/oip/json-writer.ts';
import { writeTensorJson } from '../../../base/oip/tensor-json.ts';
import { type BytesData, elementCount, isBytesData, type Tensor } from '../../../base/tensor/tensor.ts';

/** Nested JSON arrays; a BYTES tensor with an element that is no UTF-8 text as `{"b64": "..."}` throughout. */
export function writeValues(tensor: Tensor, writer: JsonWriter): void {
  const start = writer.at;
  try {
    writeTensorJson(tensor, writer, 'nested');
  } catch (refused) {
    const isNoText = refused instanceof NimifyError && refused.code === 'INVALID_INPUT';
    if (!isNoText || !isBytesData(tensor.data)) throw refused;
    writer.at = start;
    writeBase64Values(tensor.data, tensor.shape, writer);
  }
}

/** Nested JSON arrays of `{"b64": "..."}`: TensorFlow Serving's form for bytes. */
export function writeBase64Values(data: BytesData, shape: readonly number[], writer: JsonWriter): void {
  let index = 0;

  function write(axis: number): void {
    const size = shape[axis];
    if (size === undefined) {
      const element = data.bytes.subarray(data.offsets[index], data.offsets[index + 1]);
      writer.ascii(`{"b64":"${Buffer.from(element).toString('base64')}"}`);
      index += 1;
      return;
    }
    writer.ascii('[');
    for (let at = 0; at < size; at += 1) {
      if (at > 0) writer.ascii(',');
      write(axis + 1);
    }
    writer.ascii(']');
  }

  write(0);
}

/** One row without the row axis, as a view. */
export function rowOf(tensor: Tensor, row: number): Tensor {
  const shape = tensor.shape.slice(1);
  const size = elementCount(shape);
  const { data } = tensor;
  const from = row * size;
  return {
    ...tensor,
    shape,
    data: isBytesData(data)
      ? { bytes: data.bytes, offsets: data.offsets.subarray(from, from + size + 1) }
      : data.subarray(from, from + size),
  };
}
