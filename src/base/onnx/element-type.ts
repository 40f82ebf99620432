import type { Datatype } from '../tensor/datatype.ts';

export interface ElementType {
  readonly name: string;
  /** Size of one element in bits; 0 for strings, whose elements have no fixed size. */
  readonly bits: number;
  readonly datatype?: Datatype;
}

/** By number in TensorProto.DataType (onnx.proto, IR version 14); ort.fbs uses the same numbers. */
const ELEMENT_TYPES: Readonly<Record<number, ElementType>> = {
  1: { name: 'float32', bits: 32, datatype: 'FP32' },
  2: { name: 'uint8', bits: 8, datatype: 'UINT8' },
  3: { name: 'int8', bits: 8, datatype: 'INT8' },
  4: { name: 'uint16', bits: 16, datatype: 'UINT16' },
  5: { name: 'int16', bits: 16, datatype: 'INT16' },
  6: { name: 'int32', bits: 32, datatype: 'INT32' },
  7: { name: 'int64', bits: 64, datatype: 'INT64' },
  8: { name: 'string', bits: 0, datatype: 'BYTES' },
  9: { name: 'bool', bits: 8, datatype: 'BOOL' },
  10: { name: 'float16', bits: 16, datatype: 'FP16' },
  11: { name: 'float64', bits: 64, datatype: 'FP64' },
  12: { name: 'uint32', bits: 32, datatype: 'UINT32' },
  13: { name: 'uint64', bits: 64, datatype: 'UINT64' },
  14: { name: 'complex64', bits: 64 },
  15: { name: 'complex128', bits: 128 },
  16: { name: 'bfloat16', bits: 16, datatype: 'BF16' },
  17: { name: 'float8e4m3fn', bits: 8 },
  18: { name: 'float8e4m3fnuz', bits: 8 },
  19: { name: 'float8e5m2', bits: 8 },
  20: { name: 'float8e5m2fnuz', bits: 8 },
  21: { name: 'uint4', bits: 4 },
  22: { name: 'int4', bits: 4 },
  23: { name: 'float4e2m1', bits: 4 },
  24: { name: 'float8e8m0', bits: 8 },
  25: { name: 'uint2', bits: 2 },
  26: { name: 'int2', bits: 2 },
  27: { name: 'float6e2m3', bits: 6 },
  28: { name: 'float6e3m2', bits: 6 },
};

/** The type of a number that no known version of ONNX gives out is named after the number. */
export function elementTypeOf(number: number): ElementType {
  const known = ELEMENT_TYPES[number];
  if (known !== undefined) return known;
  return { name: number === 0 ? 'undefined' : `type-${number}`, bits: 0 };
}
