import { readFileSync } from 'node:fs';
import { fromBytes, fromHalf, type PlainTensor, type Value } from './tensor.ts';

/** OIP datatype by the number of TensorProto.DataType (onnx/onnx.proto). */
const DATATYPE: Readonly<Record<number, string>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};

/** Field numbers of onnx.TensorProto. */
const FIELD = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
} as const;

type Field = { readonly number: number; readonly wire: number; readonly value: bigint | Buffer };

/** Reads a serialized onnx.TensorProto, as the `input_*.pb` and `output_*.pb` of ONNX's test data are. */
export function readTensorProto(path: string): PlainTensor {
  const fields = [...readFields(readFileSync(path))];
  const all = (number: number): Field[] => fields.filter((field) => field.number === number);
  const code = Number(all(FIELD.dataType).at(-1)?.value ?? 0n);
  const datatype = DATATYPE[code];
  if (datatype === undefined) throw new Error(`${path}: TensorProto data type ${code} has no OIP datatype`);
  const name = all(FIELD.name).at(-1)?.value;
  const shape = all(FIELD.dims).flatMap(integers).map(Number);
  return { name: Buffer.isBuffer(name) ? name.toString() : '', datatype, shape, values: readValues() };

  function readValues(): Value[] {
    const raw = all(FIELD.rawData).at(-1)?.value;
    if (Buffer.isBuffer(raw)) return fromBytes(datatype as string, raw);
    switch (datatype) {
      case 'BYTES':
        return all(FIELD.stringData).map(({ value }) => value.toString());
      case 'FP32':
        return all(FIELD.floatData).flatMap(({ value }) => fromBytes('FP32', value as Buffer));
      case 'FP64':
        return all(FIELD.doubleData).flatMap(({ value }) => fromBytes('FP64', value as Buffer));
      case 'INT64':
        return all(FIELD.int64Data).flatMap(integers);
      case 'UINT64':
        return all(FIELD.uint64Data)
          .flatMap(integers)
          .map((value) => BigInt.asUintN(64, value));
      case 'UINT32':
        return all(FIELD.uint64Data).flatMap(integers).map(Number);
      case 'FP16':
        return all(FIELD.int32Data)
          .flatMap(integers)
          .map((bits) => fromHalf(Number(bits)));
      case 'BOOL':
        return all(FIELD.int32Data)
          .flatMap(integers)
          .map((value) => value !== 0n);
      default:
        return all(FIELD.int32Data).flatMap(integers).map(Number);
    }
  }
}

/** The integers of a repeated varint field, packed or not. */
function integers({ value }: Field): bigint[] {
  if (!Buffer.isBuffer(value)) return [BigInt.asIntN(64, value)];
  const numbers: bigint[] = [];
  for (let at = 0; at < value.length; ) {
    const [number, next] = readVarint(value, at);
    numbers.push(BigInt.asIntN(64, number));
    at = next;
  }
  return numbers;
}

/** The fields of one protobuf message, by https://protobuf.dev/programming-guides/encoding. */
function* readFields(bytes: Buffer): Generator<Field> {
  for (let at = 0; at < bytes.length; ) {
    const [tag, afterTag] = readVarint(bytes, at);
    const [number, wire] = [Number(tag >> 3n), Number(tag & 7n)];
    if (wire === 0) {
      const [value, next] = readVarint(bytes, afterTag);
      yield { number, wire, value };
      at = next;
    } else {
      const [length, start] = wire === 2 ? readVarint(bytes, afterTag) : [wire === 1 ? 8n : 4n, afterTag];
      at = start + Number(length);
      yield { number, wire, value: bytes.subarray(start, at) };
    }
  }
}

function readVarint(bytes: Buffer, start: number): [value: bigint, next: number] {
  let value = 0n;
  for (let at = start, shift = 0n; ; at += 1, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error('the message ends within a number');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at + 1];
  }
}
