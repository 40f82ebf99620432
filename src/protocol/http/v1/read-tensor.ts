import type { ByteRange } from '../../../base/oip/json-object.ts';
import { scanTensorValue } from '../../../base/oip/json-tensor.ts';
import { dataLength, type Tensor } from '../../../base/tensor/tensor.ts';
import { fitShape } from '../../../model/fit-shape.ts';
import type { TensorSpec } from '../../../model/signature.ts';
import { scanBytesValues } from './bytes-values.ts';

const OPEN_BRACE = 0x7b;

/**
 * The values at `span` as the tensor that the input wants: numbers straight into its typed array, so that
 * 64-bit integers stay exact, and the shape as `fitShape` completes it.
 * @throws NimifyError INVALID_INPUT with the path `where`
 */
export function readTensor(bytes: Uint8Array, span: ByteRange, spec: TensorSpec, where: string): Tensor {
  const { data, shape } =
    spec.datatype === 'BYTES' && holdsBrace(bytes, span)
      ? scanBytesValues(bytes, span.start, where)
      : scanTensorValue(bytes, span.start, spec.datatype, where);
  return {
    name: spec.name,
    datatype: spec.datatype,
    shape: fitShape(spec, shape, dataLength(data), where),
    data,
  };
}

/** An object, so a `{"b64": ...}` among the strings, or a string with a brace in it. */
function holdsBrace(bytes: Uint8Array, { start, end }: ByteRange): boolean {
  const at = bytes.indexOf(OPEN_BRACE, start);
  return at !== -1 && at < end;
}
