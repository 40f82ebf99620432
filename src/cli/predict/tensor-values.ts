import { toStrings } from '../../base/tensor/bytes.ts';
import { dataLength, isBytesData, type Tensor } from '../../base/tensor/tensor.ts';
import { toValue } from '../convert-data.ts';
import { printable } from '../printable.ts';

/** Reads the numbers of a tensor. NaN for BYTES, which has none. */
export function numberReader({ data, datatype }: Tensor): (at: number) => number {
  if (isBytesData(data)) return () => Number.NaN;
  return (at) => Number(toValue(data[at]!, datatype));
}

/** Elements [from, to) as people read them: six digits of a float, every digit of an integer. */
export function describeElements(tensor: Tensor, from: number, to: number): readonly string[] {
  const { data, datatype } = tensor;
  const end = Math.min(to, dataLength(data));
  if (isBytesData(data)) {
    const slice = { bytes: data.bytes, offsets: data.offsets.subarray(from, end + 1) };
    return toStrings(slice).map((text) => clip(printable(text)));
  }
  return Array.from<number | bigint, string>(data.subarray(from, end), (element) => {
    if (datatype === 'BOOL') return element === 0 ? 'false' : 'true';
    const value = toValue(element, datatype);
    return typeof value === 'bigint' || Number.isInteger(value) ? String(value) : describeNumber(value);
  });
}

export function describeNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

const LONGEST_TEXT = 120;

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}...`;
}
