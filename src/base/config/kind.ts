import { isAbsolute, join } from 'node:path';
import { ownMember } from '../util/own-member.ts';

/** A part of a JSON Schema (draft 7). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a setting takes. A value comes from YAML with a type of its own, or as text: a variable, a flag. */
export interface Kind<V> {
  /** One word for tables and flags, such as `port`. */
  readonly name: string;
  /** What an error says was expected. */
  readonly expected: string;
  readonly schema: JsonSchema;
  /** Undefined where it is none of this kind. */
  fromValue(value: unknown): V | undefined;
  /** Undefined where it is none of this kind. */
  fromText(text: string): V | undefined;
  /** What a value of the configuration file means, by the folder that the file is in. Default: the same anywhere. */
  within?(value: V, folder: string): V;
  /** For what may be given several times on a command line: all of it. Default: the last one counts. */
  join?(before: V, next: V): V;
}

/** Any text but the empty one. */
export const TEXT: Kind<string> = {
  name: 'text',
  expected: 'a text that is not empty',
  schema: { type: 'string', minLength: 1 },
  fromValue: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
  fromText: (text) => (text === '' ? undefined : text),
};

/** A file, from the working folder, or where the configuration file names it from that file's. */
export const PATH: Kind<string> = {
  ...TEXT,
  name: 'path',
  expected: 'a path',
  within: (value, folder) => (isAbsolute(value) ? value : join(folder, value)),
};

/** TCP port; 0 asks the system for a free one. */
export const PORT: Kind<number> = wholeNumber('port', 'a port from 0 (any free one) to 65535', 0, 65_535);

export const COUNT: Kind<number> = wholeNumber(
  'count',
  'a whole number of at least 1',
  1,
  Number.MAX_SAFE_INTEGER,
);

/** Up to a day. */
export const SECONDS: Kind<number> = wholeNumber(
  'seconds',
  'a whole number of seconds from 1 to 86400',
  1,
  86_400,
);

/** From 0 to 1. */
export const SHARE: Kind<number> = {
  name: 'share',
  expected: 'a number from 0 to 1',
  schema: { type: 'number', minimum: 0, maximum: 1 },
  fromValue: (value) => (typeof value === 'number' && value >= 0 && value <= 1 ? value : undefined),
  fromText: (text) => (/^(\d+(\.\d*)?|\.\d+)$/.test(text) ? SHARE.fromValue(Number(text)) : undefined),
};

const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, 1: true, false: false, 0: false };

export const BOOLEAN: Kind<boolean> = {
  name: 'boolean',
  expected: 'true or false',
  schema: { type: 'boolean' },
  fromValue: (value) => (typeof value === 'boolean' ? value : undefined),
  fromText: (text) => ownMember(BOOLEANS, text.toLowerCase()),
};

const BYTES_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** A size of at least one byte. */
export const BYTES: Kind<number> = measure({
  name: 'bytes',
  expected: 'a size in bytes of at least 1, such as 67108864 or 64MiB',
  units: BYTES_UNITS,
  pattern: String.raw`^\d{1,16}$|^\d{1,9}(\.\d{1,6})? ?([KMGTkmgt][Ii]?)?[Bb]$`,
  min: 1,
  max: Number.MAX_SAFE_INTEGER,
});

/** A size, or left to nimify. */
export const AUTO_BYTES: Kind<'auto' | number> = {
  name: 'auto | bytes',
  expected: `auto, or ${BYTES.expected}`,
  schema: { anyOf: [{ enum: ['auto'] }, BYTES.schema] },
  fromValue: (value) => (value === 'auto' ? value : BYTES.fromValue(value)),
  fromText: (text) => (text.toLowerCase() === 'auto' ? 'auto' : BYTES.fromText(text)),
};

const MS_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, min: 60e3, h: 3600e3 };
/** What a timer of Node can wait. */
const LONGEST_MS = 2 ** 31 - 1;
const MS_PATTERN = String.raw`^\d{1,10}$|^\d{1,9}(\.\d{1,6})? ?(ms|s|m|min|h)$`;

/** A duration of at least `min` milliseconds. */
export function milliseconds(min: 0 | 1): Kind<number> {
  return measure({
    name: 'ms',
    expected: `a whole number of milliseconds${min === 0 ? '' : ' of at least 1'}, such as 1500, or 1500ms, 1.5s, 2m`,
    units: MS_UNITS,
    pattern: MS_PATTERN,
    min,
    max: LONGEST_MS,
  });
}

/** One of a few words; text may be in capitals. */
export function oneOf<const W extends string>(...words: readonly W[]): Kind<W> {
  const find = (value: unknown) => words.find((word) => word === value);
  return {
    name: words.join(' | '),
    expected: `one of ${words.join(', ')}`,
    schema: { enum: words },
    fromValue: find,
    fromText: (text) => find(text.toLowerCase()),
  };
}

/** Names, in the order in which they are given. */
export const TEXT_LIST: Kind<readonly string[]> = {
  name: 'names',
  expected: 'a list of names; as text: names with commas between them',
  schema: { type: 'array', items: { type: 'string', minLength: 1 } },
  fromValue(value) {
    return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
      ? value
      : undefined;
  },
  fromText(text) {
    const names = text.split(',').map((name) => name.trim());
    return names.includes('') ? undefined : names;
  },
  join: (before, next) => [...before, ...next],
};

/** A name, or an object with a `name` and options beside it. */
export type Named = string | { readonly name: string; readonly [option: string]: unknown };

/** A list of names, each of them perhaps with options. As text: names with commas between them. */
export const NAMED_LIST: Kind<readonly Named[]> = {
  name: 'names',
  expected: 'a list of names, or of objects with a name and options; as text: names with commas between them',
  schema: {
    type: 'array',
    minItems: 1,
    items: {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } } },
      ],
    },
  },
  fromValue(value) {
    return Array.isArray(value) && value.length > 0 && value.every(isNamed) ? value : undefined;
  },
  fromText(text) {
    const names = text.split(',').map((name) => name.trim());
    return names.includes('') ? undefined : names;
  },
};

function isNamed(value: unknown): value is Named {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return 'name' in value && typeof value.name === 'string' && value.name !== '';
  }
  return typeof value === 'string' && value !== '';
}

function wholeNumber(name: string, expected: string, min: number, max: number): Kind<number> {
  const check = (value: unknown) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : undefined;
  return {
    name,
    expected,
    schema: { type: 'integer', minimum: min, maximum: max },
    fromValue: check,
    fromText: (text) => (/^\d{1,16}$/.test(text) ? check(Number(text)) : undefined),
  };
}

interface Measure {
  readonly name: string;
  readonly expected: string;
  /** Factors by unit, in small letters. */
  readonly units: Readonly<Record<string, number>>;
  readonly pattern: string;
  readonly min: number;
  readonly max: number;
}

/** A whole number of the base unit: bare, or as text with any unit. */
function measure({ name, expected, units, pattern, min, max }: Measure): Kind<number> {
  const shape = new RegExp(pattern);
  const check = (value: number) =>
    Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
  const fromText = (text: string) => {
    const [, digits, unit] = (shape.test(text) && /^([\d.]+) ?([a-z]*)$/i.exec(text)) || [];
    if (digits === undefined || unit === undefined) return undefined;
    return check(Number(digits) * (unit === '' ? 1 : units[unit.toLowerCase()]!));
  };
  return {
    name,
    expected,
    schema: {
      anyOf: [
        { type: 'integer', minimum: min, maximum: max },
        { type: 'string', pattern },
      ],
    },
    fromValue(value) {
      if (typeof value === 'string') return fromText(value);
      return typeof value === 'number' ? check(value) : undefined;
    },
    fromText,
  };
}
