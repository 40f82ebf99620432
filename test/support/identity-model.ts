import { protobuf } from './protobuf.ts';

/** Numbers of onnx.TensorProto.DataType. */
const ELEMENT_TYPE = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
} as const;

export interface IdentityPair {
  readonly input: string;
  readonly output: string;
  readonly datatype: keyof typeof ELEMENT_TYPE;
  /** A text is the name of a dynamic dimension. */
  readonly shape: readonly (number | string)[];
}

/** The bytes of an ONNX model that answers each input as it is, under another name. */
export function identityModel(...pairs: readonly IdentityPair[]): Uint8Array {
  const value = (name: string, { datatype, shape }: IdentityPair) => ({
    1: name,
    2: {
      1: {
        1: ELEMENT_TYPE[datatype],
        2: { 1: shape.map((size) => (typeof size === 'number' ? { 1: size } : { 2: size })) },
      },
    },
  });
  return protobuf({
    1: 8,
    7: {
      1: pairs.map(({ input, output }) => ({ 1: input, 2: output, 4: 'Identity' })),
      2: 'identity',
      11: pairs.map((pair) => value(pair.input, pair)),
      12: pairs.map((pair) => value(pair.output, pair)),
    },
    8: { 2: 17 },
  });
}
