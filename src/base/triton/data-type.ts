import type { Datatype } from '../tensor/datatype.ts';
import { enumType } from '../textproto/schema.ts';

/** Triton's `DataType`, by number. */
export const DATA_TYPE = enumType('DataType', [
  'TYPE_INVALID',
  'TYPE_BOOL',
  'TYPE_UINT8',
  'TYPE_UINT16',
  'TYPE_UINT32',
  'TYPE_UINT64',
  'TYPE_INT8',
  'TYPE_INT16',
  'TYPE_INT32',
  'TYPE_INT64',
  'TYPE_FP16',
  'TYPE_FP32',
  'TYPE_FP64',
  'TYPE_STRING',
  'TYPE_BF16',
]);

export type ConfigDataType = (typeof DATA_TYPE)['values'][number];

/** The protocol's name of a configuration's datatype; undefined for TYPE_INVALID. */
export function toDatatype(type: ConfigDataType): Datatype | undefined {
  if (type === 'TYPE_INVALID') return undefined;
  return type === 'TYPE_STRING' ? 'BYTES' : (type.slice('TYPE_'.length) as Datatype);
}

export function toDataType(datatype: Datatype): ConfigDataType {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}
