import type { Datatype } from '../tensor/datatype.ts';
import { createBoolReader } from './bool-reader.ts';
import { createBytesReader } from './bytes-reader.ts';
import type { ElementReader } from './element-reader.ts';
import { createFloatReader } from './float-reader.ts';
import { createIntegerReader } from './integer-reader.ts';
import { createLongReader } from './long-reader.ts';
import { createSingleReader } from './single-reader.ts';

/** The reader of `datatype`. `capacity`: elements to make room for at the start; more are taken if they come. */
export function createElementReader(bytes: Uint8Array, datatype: Datatype, capacity: number): ElementReader {
  switch (datatype) {
    case 'FP16':
    case 'BF16':
    case 'FP64':
      return createFloatReader(bytes, datatype, capacity);
    case 'FP32':
      return createSingleReader(bytes, capacity);
    case 'INT64':
    case 'UINT64':
      return createLongReader(bytes, datatype, capacity);
    case 'BOOL':
      return createBoolReader(bytes, capacity);
    case 'BYTES':
      return createBytesReader(bytes, capacity);
    default:
      return createIntegerReader(bytes, datatype, capacity);
  }
}
