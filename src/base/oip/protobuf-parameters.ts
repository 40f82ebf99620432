import { mismatchError } from './json-error.ts';
import { MAX_ENTRIES, shorten } from './json-object.ts';
import type { ParameterMap } from './parameters.ts';
import {
  type Cursor,
  createCursor,
  DELIMITED,
  FIXED64,
  readDelimited,
  readTag,
  readText,
  readVarint,
  skipField,
  toSigned,
  VARINT,
} from './protobuf-cursor.ts';

/**
 * Reads one entry of a `map<string, InferParameter>`, whose length comes next, into `parameters`. A key that comes
 * again replaces what was there, as protobuf has it. Integers that a number does not hold exactly are refused, as
 * in JSON: two sequence ids must not become one.
 */
export function readParameter(cursor: Cursor, parameters: ParameterMap, where: string): void {
  const end = readDelimited(cursor, where);
  let key = '';
  let value: Value;
  const entry = createCursor(cursor.bytes, cursor.at, end);
  while (entry.at < end) {
    const tag = readTag(entry, where);
    if (tag === ((1 << 3) | DELIMITED)) key = readText(entry, where);
    else if (tag === ((2 << 3) | DELIMITED)) value = readValue(entry, value, where);
    else skipField(entry, tag, where);
  }
  cursor.at = end;
  const place = () => `${where}['${shorten(key)}']`;
  if (value === undefined) throw mismatchError(place, 'a value in one of its five fields', 'none');
  if (typeof value === 'number' && Number.isNaN(value)) {
    throw mismatchError(place, 'a number that a double holds exactly (else send it as a string)', 'another');
  }
  parameters.set(key, value);
  if (parameters.size > MAX_ENTRIES) throw mismatchError(where, `at most ${MAX_ENTRIES} entries`, 'more');
}

type Value = string | number | boolean | undefined;

/** InferParameter: of its `parameter_choice` the last one counts. NaN: no exact number. */
function readValue(cursor: Cursor, before: Value, where: string): Value {
  const end = readDelimited(cursor, where);
  let value = before;
  const inner = createCursor(cursor.bytes, cursor.at, end);
  while (inner.at < end) {
    const tag = readTag(inner, where);
    switch (tag) {
      case (1 << 3) | VARINT:
        readVarint(inner, where);
        value = inner.low !== 0 || inner.high !== 0;
        break;
      case (2 << 3) | VARINT:
        readVarint(inner, where);
        value = toSigned(inner);
        break;
      case (3 << 3) | DELIMITED:
        value = readText(inner, where);
        break;
      case (4 << 3) | FIXED64:
        value = readDouble(inner, where);
        break;
      case (5 << 3) | VARINT:
        readVarint(inner, where);
        // A negative result is a number of 2^63 and more.
        value = inner.high > 0x1f_ffff ? Number.NaN : toSigned(inner);
        break;
      default:
        skipField(inner, tag, where);
    }
  }
  cursor.at = end;
  return value;
}

function readDouble(cursor: Cursor, where: string): number {
  const { bytes, at } = cursor;
  skipField(cursor, FIXED64, where);
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);
}
