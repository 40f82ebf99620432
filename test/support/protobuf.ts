/** Fields of a message by number: a number is a varint, a text or bytes are length-delimited, a list repeats. */
export interface Message {
  readonly [field: number]: Value | readonly Value[];
}

type Value = number | string | Uint8Array | Message;

/** A message in protobuf's wire format (protobuf.dev, "Encoding"). */
export function protobuf(message: Message): Uint8Array {
  return Buffer.concat(
    Object.entries(message).flatMap(([number, value]) => {
      const values: readonly Value[] = Array.isArray(value) ? value : [value];
      return values.map((one) => field(Number(number), one));
    }),
  );
}

/** Integers in one length-delimited field, as repeated integers are written today. */
export function packed(...values: readonly number[]): Uint8Array {
  return Buffer.concat(values.map(varint));
}

function field(number: number, value: Value): Uint8Array {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const content =
    typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? value : protobuf(value);
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

/** Negative numbers have ten bytes. */
export function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}
