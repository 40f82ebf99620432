import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { protobuf } from '../../support/protobuf.ts';

/** OIP's datatypes, and ONNX's numbers for them (onnx.proto, TensorProto.DataType). */
export const ELEMENT_TYPES = {
  ...{ BOOL: 9, UINT8: 2, UINT16: 4, UINT32: 12, UINT64: 13 },
  ...{ INT8: 3, INT16: 5, INT32: 6, INT64: 7, FP16: 10, FP32: 1, FP64: 11, BYTES: 8 },
} as const;

export type OipDatatype = keyof typeof ELEMENT_TYPES;

/** A model in ONNX's format that gives its input back: INPUT [n, 4] -> OUTPUT [n, 4]. */
export function identityModel(datatype: OipDatatype): Uint8Array {
  const value = (name: string) => ({
    1: name,
    2: { 1: { 1: ELEMENT_TYPES[datatype], 2: { 1: [{ 2: 'n' }, { 1: 4 }] } } },
  });
  const graph = {
    1: { 1: 'INPUT', 2: 'OUTPUT', 4: 'Identity' },
    2: 'identity',
    11: value('INPUT'),
    12: value('OUTPUT'),
  };
  return protobuf({ 1: 8, 7: graph, 8: { 1: '', 2: 17 } });
}

export function identityName(datatype: OipDatatype): string {
  return `identity_${datatype.toLowerCase()}`;
}

/** Writes a file of a repository, and makes its folders. */
export function put(repository: string, path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(repository, path)), { recursive: true });
  writeFileSync(join(repository, path), content);
}
