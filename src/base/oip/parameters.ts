import { expectedError, mismatchError } from './json-error.ts';
import { createNumberToken, scanNumber, toDouble } from './json-number.ts';
import { readString, scanObject, shorten } from './json-object.ts';
import { hasWord } from './json-value.ts';

/** OIP's `parameters` objects: of a request, an input, a requested output, a response. */
export type ParameterRecord = Readonly<Record<string, string | number | boolean>>;

/** The same while they are read: what is known is taken out, the others are left. */
export type ParameterMap = Map<string, string | number | boolean>;

const QUOTE = 0x22;
const TOKEN = createNumberToken();

/**
 * Reads the parameters object at `at`.
 * @throws NimifyError INVALID_INPUT as `scanParameter`
 */
export function scanParameters(
  bytes: Uint8Array,
  at: number,
  where: string,
): { readonly parameters: ParameterMap; readonly end: number } {
  const parameters: ParameterMap = new Map();
  const end = scanObject(bytes, at, where, (key, valueAt) => {
    const { value, end: valueEnd } = scanParameter(bytes, valueAt, `${where}.${shorten(key)}`);
    parameters.set(key, value);
    return valueEnd;
  });
  return { parameters, end };
}

/**
 * Reads the parameter at `at`. Values are strings, numbers and booleans; integers that a number cannot hold exactly are
 * refused rather than changed: two sequence ids must not become one.
 * @throws NimifyError INVALID_INPUT
 */
export function scanParameter(
  bytes: Uint8Array,
  at: number,
  where: string,
): { readonly value: string | number | boolean; readonly end: number } {
  if (bytes[at] === QUOTE) {
    const { text, end } = readString(bytes, at, where);
    return { value: text, end };
  }
  if (hasWord(bytes, at, 'true')) return { value: true, end: at + 4 };
  if (hasWord(bytes, at, 'false')) return { value: false, end: at + 5 };
  const end = scanNumber(bytes, at, TOKEN);
  if (end < 0) throw expectedError(where, 'a string, a number or a boolean', bytes, at);
  const value = toDouble(TOKEN, bytes, at, end);
  if (!Number.isFinite(value) || (TOKEN.integral && !Number.isSafeInteger(value))) {
    throw expectedError(where, 'a number that a double holds exactly (else send it as a string)', bytes, at);
  }
  return { value, end };
}

/** The parameters that are left, mostly none. */
export function toRecord(parameters: ParameterMap): ParameterRecord {
  return parameters.size === 0 ? {} : Object.fromEntries(parameters);
}

/** Takes the boolean `key` out of the parameters. */
export function takeBoolean(parameters: ParameterMap, key: string, where: string): boolean | undefined {
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
export function takeCount(parameters: ParameterMap, key: string, where: string): number | undefined {
  const value = parameters.get(key);
  if (value === undefined) return undefined;
  parameters.delete(key);
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  const got = typeof value === 'string' ? 'a string' : String(value);
  throw mismatchError(`${where}.${key}`, 'a non-negative integer', got);
}
