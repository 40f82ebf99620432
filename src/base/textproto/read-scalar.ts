import { didYouMean } from '../util/nearest-name.ts';
import { type EnumType, integerRange, type ScalarName } from './schema.ts';
import type { TextNumber, TextValue } from './text-tree.ts';

/** A value that was read, or what was expected in its place. */
export type ScalarRead =
  | { readonly ok: true; readonly value: string | number | boolean }
  | { readonly ok: false; readonly expected: string };

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A value of the text format as the type wants it (specification, "Value Types"). */
export function readScalar(name: ScalarName, value: TextValue): ScalarRead {
  switch (name) {
    case 'string':
      return readText(value);
    case 'bool':
      return readBool(value);
    case 'float':
    case 'double':
      return readFloat(name, value);
    default:
      return readInteger(name, value);
  }
}

/** By its name, or by its number. */
export function readEnum(type: EnumType<string>, value: TextValue): ScalarRead {
  const { values } = type;
  if (value.type === 'word' && !value.negative && values.includes(value.text)) {
    return { ok: true, value: value.text };
  }
  if (value.type === 'number' && value.format !== 'float') {
    const named = values[toInteger(value)];
    if (named !== undefined) return { ok: true, value: named };
  }
  const meant = value.type === 'word' ? valueMeant(value.text, values) : '';
  return { ok: false, expected: `one of ${values.join(', ')}${meant}` };
}

/** The end of an error about a mistyped value. `FP32` means `TYPE_FP32`, which counting letters does not find. */
export function valueMeant(got: string, values: readonly string[]): string {
  const suffix = `_${got.toUpperCase()}`;
  const longer = values.find((value) => value.endsWith(suffix));
  return longer === undefined ? didYouMean(got, values, '') : `; did you mean ${longer}?`;
}

function readText(value: TextValue): ScalarRead {
  if (value.type !== 'string') return { ok: false, expected: 'a text between quotes' };
  try {
    return { ok: true, value: DECODER.decode(value.bytes) };
  } catch {
    return { ok: false, expected: 'a text in UTF-8, but its escapes make none' };
  }
}

function readBool(value: TextValue): ScalarRead {
  if (value.type === 'word' && !value.negative) {
    if (['true', 'True', 't'].includes(value.text)) return { ok: true, value: true };
    if (['false', 'False', 'f'].includes(value.text)) return { ok: true, value: false };
  }
  if (value.type === 'number' && value.format !== 'float' && !value.negative) {
    const number = toInteger(value);
    if (number === 0 || number === 1) return { ok: true, value: number === 1 };
  }
  return { ok: false, expected: 'true or false' };
}

function readFloat(name: 'float' | 'double', value: TextValue): ScalarRead {
  const number = toFloat(value);
  if (number === undefined) return { ok: false, expected: 'a number' };
  return { ok: true, value: name === 'float' ? Math.fround(number) : number };
}

function toFloat(value: TextValue): number | undefined {
  if (value.type === 'word') {
    const word = value.text.toLowerCase();
    if (word === 'nan') return Number.NaN;
    if (word !== 'inf' && word !== 'infinity') return undefined;
    return value.negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (value.type !== 'number') return undefined;
  if (value.format === 'octal' || value.format === 'hexadecimal') return undefined;
  const number = Number(value.text.replace(/[fF]$/, ''));
  return value.negative ? -number : number;
}

function readInteger(name: ScalarName, value: TextValue): ScalarRead {
  const [min, max] = integerRange(name)!;
  const expected = `a whole number from ${min} to ${max}`;
  if (value.type !== 'number' || value.format === 'float') return { ok: false, expected };
  // Not even -0 is unsigned.
  if (value.negative && min === 0) return { ok: false, expected };
  const number = toInteger(value);
  return number >= min && number <= max ? { ok: true, value: number } : { ok: false, expected };
}

/** Beyond what JavaScript counts exactly it gives a neighbour, which is as far out of every range. */
function toInteger({ text, format, negative }: TextNumber): number {
  const size = format === 'octal' ? Number.parseInt(text, 8) : Number(text);
  return negative && size !== 0 ? -size : size;
}
