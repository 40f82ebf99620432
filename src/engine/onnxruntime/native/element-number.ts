import { elementTypeOf } from '../../../base/onnx/element-type.ts';
import type { Datatype } from '../../../base/tensor/datatype.ts';

/** ONNXTensorElementDataType of the C API has the numbers of TensorProto.DataType. */
const NUMBERS: ReadonlyMap<Datatype, number> = new Map(
  Array.from({ length: 17 }, (_, number) => [elementTypeOf(number).datatype, number] as const).filter(
    (pair): pair is readonly [Datatype, number] => pair[0] !== undefined,
  ),
);

export function elementNumberOf(datatype: Datatype): number {
  return NUMBERS.get(datatype)!;
}
