import { expectedError, mismatchError } from './json-error.ts';
import { createNumberToken, scanNumber, toDouble } from './json-number.ts';
import { readString, scanObject, shorten } from './json-object.ts';
import { hasWord } from './json-value.ts';

/** OIP's `parameters` objects: of a request, an input, a requested output, a response. */
export type ParameterRecord = Readonly<Record<string, string | number | boolean>>;

const QUOTE = 0x22;
const TOKEN = createNumberToken();

/**
 * Reads the parameters object at `at`. Values are strings, numbers and booleans; integers that a number cannot
 * hold exactly are refused rather than changed: two sequence ids must not become one.
 */
export function scanParameters(
  bytes: Uint8Array,
  at: number,
  where: string,
): { readonly parameters: Map<string, string | number | boolean>; readonly end: number } {
  const parameters = new Map<string, string | number | boolean>();
  const end = scanObject(bytes, at, where, (key, valueAt) => {
    const place = `${where}.${shorten(key)}`;
    if (bytes[valueAt] === QUOTE) {
      const { text, end: textEnd } = readString(bytes, valueAt, place);
      parameters.set(key, text);
      return textEnd;
    }
    if (hasWord(bytes, valueAt, 'true')) {
      parameters.set(key, true);
      return valueAt + 4;
    }
    if (hasWord(bytes, valueAt, 'false')) {
      parameters.set(key, false);
      return valueAt + 5;
    }
    const numberEnd = scanNumber(bytes, valueAt, TOKEN);
    if (numberEnd < 0) throw expectedError(place, 'a string, a number or a boolean', bytes, valueAt);
    const value = toDouble(TOKEN, bytes, valueAt, numberEnd);
    if (!Number.isFinite(value) || (TOKEN.integral && !Number.isSafeInteger(value))) {
      throw expectedError(
        place,
        'a number that a double holds exactly (else send it as a string)',
        bytes,
        valueAt,
      );
    }
    parameters.set(key, value);
    return numberEnd;
  });
  return { parameters, end };
}

/** The parameters that are left, mostly none. */
export function toRecord(parameters: ReadonlyMap<string, string | number | boolean>): ParameterRecord {
  return parameters.size === 0 ? {} : Object.fromEntries(parameters);
}

/** Takes the boolean `key` out of the parameters. */
export function takeBoolean(
  parameters: Map<string, unknown>,
  key: string,
  where: string,
): boolean | undefined {
  const value = parameters.get(key);
  if (value !== undefined) parameters.delete(key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw mismatchError(
    `${where}.${key}`,
    'true or false',
    typeof value === 'string' ? 'a string' : String(value),
  );
}

/** Takes the non-negative integer `key` out of the parameters. */
export function takeCount(parameters: Map<string, unknown>, key: string, where: string): number | undefined {
  const value = parameters.get(key);
  if (value === undefined) return undefined;
  parameters.delete(key);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const got = typeof value === 'string' ? 'a string' : String(value);
  throw mismatchError(`${where}.${key}`, 'a non-negative integer', got);
}
