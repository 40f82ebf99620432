/** The datatypes of the Open Inference Protocol (inference_rest.md, "Tensor Data Types") and Triton's BF16. */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;

export type Datatype = (typeof DATATYPES)[number];

/** Datatypes with a fixed element size: all but BYTES. */
export type FixedDatatype = Exclude<Datatype, 'BYTES'>;

/**
 * The typed array that holds each fixed-size datatype. BOOL is one byte, 0 or 1; FP16 and BF16 are held as
 * their bits, since JavaScript has no type for them on every supported Node version.
 */
export const ARRAY_OF = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<FixedDatatype, unknown>;

export type TypedArray = InstanceType<(typeof ARRAY_OF)[FixedDatatype]>;

const KNOWN: ReadonlySet<string> = new Set(DATATYPES);

export function isDatatype(value: unknown): value is Datatype {
  return typeof value === 'string' && KNOWN.has(value);
}

/** Size of one element in bytes. */
export function elementSizeBytes(datatype: FixedDatatype): number {
  return ARRAY_OF[datatype].BYTES_PER_ELEMENT;
}
