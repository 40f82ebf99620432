/**
 * Instructions of WebAssembly as expressions: `i32.add(at, 4)` is the code that leaves the sum on the stack. A number (a
 * bigint for i64) stands for a constant. What does not go together by type does not compile.
 * (WebAssembly Core Specification 2.0, section 5.4: binary format of instructions.)
 */
export type NumberType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Bytes, nested as the expressions are: they are strung together once, at the end. */
export type Code = readonly (number | Code)[];

/** Code that leaves one value on the stack. */
export interface Value<T extends NumberType> {
  readonly type: T;
  readonly code: Code;
}

/** Code that leaves nothing there. */
export interface Statement {
  readonly code: Code;
}

interface Constants {
  readonly i32: number;
  readonly i64: bigint;
  readonly f32: never;
  readonly f64: number;
  readonly v128: never;
}
export type Operand<T extends NumberType> = Value<T> | Constants[T];

/** Little-endian groups of seven bits, the last with the sign in its second-highest bit (section 5.2.2). */
function signedLeb(value: bigint): number[] {
  const bytes: number[] = [];
  for (;;) {
    const group = Number(value & 0x7fn);
    value >>= 7n;
    if (value === ((group & 0x40) === 0 ? 0n : -1n)) return [...bytes, group];
    bytes.push(group | 0x80);
  }
}

export function unsignedLeb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsignedLeb(value >>> 7)];
}

function codeOf<T extends NumberType>(type: T, operand: Operand<T>): Code {
  if (typeof operand === 'object') return operand.code;
  if (typeof operand === 'bigint') return [0x42, ...signedLeb(BigInt.asIntN(64, operand))];
  if (type === 'i32') return [0x41, ...signedLeb(BigInt(operand | 0))];
  return [0x44, ...new Uint8Array(Float64Array.of(operand).buffer)];
}

function unary<A extends NumberType, R extends NumberType>(type: A, result: R, ...opcode: number[]) {
  return (operand: Operand<A>): Value<R> => ({ type: result, code: [codeOf(type, operand), opcode] });
}

function binary<A extends NumberType, R extends NumberType>(type: A, result: R, ...opcode: number[]) {
  return (left: Operand<A>, right: Operand<A>): Value<R> => ({
    type: result,
    code: [codeOf(type, left), codeOf(type, right), opcode],
  });
}

/** From `address + offset`, which need not be aligned. */
function load<T extends NumberType>(type: T, ...opcode: number[]) {
  return (address: Operand<'i32'>, offset = 0): Value<T> => ({
    type,
    code: [codeOf('i32', address), opcode, 0, unsignedLeb(offset)],
  });
}

function store<T extends NumberType>(type: T, ...opcode: number[]) {
  return (address: Operand<'i32'>, value: Operand<T>): Statement => ({
    code: [codeOf('i32', address), codeOf(type, value), opcode, 0, 0],
  });
}

export const i32 = {
  load: load('i32', 0x28),
  load8s: load('i32', 0x2c),
  load8u: load('i32', 0x2d),
  store8: store('i32', 0x3a),
  eqz: unary('i32', 'i32', 0x45),
  lessS: binary('i32', 'i32', 0x48),
  lessU: binary('i32', 'i32', 0x49),
  lessOrEqualS: binary('i32', 'i32', 0x4c),
  add: binary('i32', 'i32', 0x6a),
  sub: binary('i32', 'i32', 0x6b),
  mul: binary('i32', 'i32', 0x6c),
  divideU: binary('i32', 'i32', 0x6e),
  and: binary('i32', 'i32', 0x71),
  shiftLeft: binary('i32', 'i32', 0x74),
  shiftRightU: binary('i32', 'i32', 0x76),
  wrap: unary('i64', 'i32', 0xa7),
};

export const i64 = {
  load: load('i64', 0x29),
  store: store('i64', 0x37),
  leadingZeros: unary('i64', 'i64', 0x79),
  add: binary('i64', 'i64', 0x7c),
  sub: binary('i64', 'i64', 0x7d),
  mul: binary('i64', 'i64', 0x7e),
  and: binary('i64', 'i64', 0x83),
  or: binary('i64', 'i64', 0x84),
  shiftLeft: binary('i64', 'i64', 0x86),
  shiftRightU: binary('i64', 'i64', 0x88),
  extendU: unary('i32', 'i64', 0xad),
  ofBits: unary('f64', 'i64', 0xbd),
};

export const f32 = {
  load: load('f32', 0x2a),
  ofBits: unary('i32', 'f32', 0xbe),
};

export const f64 = {
  load: load('f64', 0x2b),
  lessOrEqual: binary('f64', 'i32', 0x65),
  abs: unary('f64', 'f64', 0x99),
  floor: unary('f64', 'f64', 0x9c),
  add: binary('f64', 'f64', 0xa0),
  sub: binary('f64', 'f64', 0xa1),
  mul: binary('f64', 'f64', 0xa2),
  promote: unary('f32', 'f64', 0xbb),
};

export const v128 = {
  load: load('v128', 0xfd, 0),
  store: store('v128', 0xfd, 11),
  /** Bytes of the first in the order that the second gives. */
  swizzle: binary('v128', 'v128', 0xfd, 14),
  ofWords: (low: Operand<'i64'>, high: Operand<'i64'>): Value<'v128'> => ({
    type: 'v128',
    code: [codeOf('i64', low), 0xfd, 18, codeOf('i64', high), 0xfd, 30, 1],
  }),
};

/** The first where the condition is not 0. Both are worked out. */
export function select<T extends NumberType>(
  first: Value<T>,
  second: Value<T>,
  condition: Value<'i32'>,
): Value<T> {
  return { type: first.type, code: [first.code, second.code, condition.code, 0x1b] };
}

export function either(
  condition: Value<'i32'>,
  then: readonly Statement[],
  otherwise: readonly Statement[],
): Statement {
  return { code: [condition.code, 0x04, 0x40, joined(then), 0x05, joined(otherwise), 0x0b] };
}

/** At least once, and again for as long as the condition is not 0. */
export function loop(body: readonly Statement[], condition: Value<'i32'>): Statement {
  return { code: [0x03, 0x40, joined(body), condition.code, 0x0d, 0, 0x0b] };
}

/** The bytes of a code, in order. */
export function bytesOf(code: Code): number[] {
  const bytes: number[] = [];
  append(code, bytes);
  return bytes;
}

function append(code: Code, bytes: number[]): void {
  for (const part of code) {
    if (typeof part === 'number') bytes.push(part);
    else append(part, bytes);
  }
}

export function joined(statements: readonly Statement[]): Code {
  return statements.map(({ code }) => code);
}
