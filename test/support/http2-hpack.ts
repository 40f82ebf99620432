/**
 * Test support: header blocks (RFC 7541) as bytes. Literals without indexing need neither table, so that each block
 * stands for itself; whatever else is to be tried is put together from its parts.
 */
export type Field = readonly [name: string, value: string];

/** How a literal begins (RFC 7541, 6.2): the bits above its index. */
export const LITERAL = { indexed: 0x40, plain: 0x00, neverIndexed: 0x10 } as const;

/** A number behind the bits of `first` (RFC 7541, 5.1). */
export function integer(value: number, prefixBits: number, first = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(first | value);
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A string as it is; `isHuffman` says of bytes that they are coded. */
export function string(text: string | Uint8Array, isHuffman = false): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  return Buffer.concat([integer(bytes.length, 7, isHuffman ? 0x80 : 0), bytes]);
}

/** A field of one of the tables. */
export function indexed(index: number): Buffer {
  return integer(index, 7, 0x80);
}

export function literal(name: string, value: string, kind: number = LITERAL.plain): Buffer {
  return Buffer.concat([Buffer.of(kind), string(name), string(value)]);
}

/** @param value its length and bytes, as `string` gives them */
export function literalOf(nameIndex: number, value: Uint8Array, kind: number = LITERAL.plain): Buffer {
  return Buffer.concat([integer(nameIndex, kind === LITERAL.indexed ? 6 : 4, kind), value]);
}

export function tableSize(bytes: number): Buffer {
  return integer(bytes, 5, 0x20);
}

export function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value)));
}

export const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
export const STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';

/** What gRPC's clients begin a call with (grpc, doc/PROTOCOL-HTTP2.md). */
export const CALL_FIELDS: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', MODEL_INFER],
  [':authority', '127.0.0.1'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

/** The fields of a call, with others behind them. */
export function callBlock(...more: readonly Field[]): Buffer {
  return block([...CALL_FIELDS, ...more]);
}

/** Those of a call of another method. */
export function callBlockTo(path: string): Buffer {
  return block(CALL_FIELDS.map(([name, value]) => [name, name === ':path' ? path : value]));
}
