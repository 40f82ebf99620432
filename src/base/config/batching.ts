import type { Kind } from './kind.ts';

/** How requests that wait are put together, where not everything of it is left to nimify. */
export interface BatchingLimits {
  /** Most rows of one run. */
  readonly maxBatchSize?: number;
  /** How long a row may wait for others, in milliseconds; 0: never. */
  readonly maxDelayMs?: number;
  /** Sizes at which a batch need not wait any longer. */
  readonly preferredBatchSizes?: readonly number[];
  /** Answers go out in the order in which requests came. */
  readonly preserveOrder?: boolean;
  /** Requests that may wait; the next is refused. */
  readonly maxWaiting?: number;
  /** Levels of `priority` that requests may ask for, from 1, the most urgent. */
  readonly priorityLevels?: number;
  /** That of a request which asks for none. */
  readonly defaultPriority?: number;
}

/** `auto`: sizes and windows are found out; `off`: each request runs by itself. */
export type BatchingChoice = 'auto' | 'off' | BatchingLimits;

type Check = (value: unknown) => boolean;

const MOST_ROWS = 65_536;
const isWhole = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
const isRows: Check = (value) => isWhole(value, 1, MOST_ROWS);
const isLevel: Check = (value) => isWhole(value, 1, 1000);
const ROWS_SCHEMA = { type: 'integer', minimum: 1, maximum: MOST_ROWS };
const LEVEL_SCHEMA = { type: 'integer', minimum: 1, maximum: 1000 };
const LONGEST_DELAY_MS = 60_000;

const FIELDS: Readonly<Record<keyof BatchingLimits, { readonly is: Check; readonly schema: object }>> = {
  maxBatchSize: { is: isRows, schema: ROWS_SCHEMA },
  maxDelayMs: {
    is: (value) => typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY_MS,
    schema: { type: 'number', minimum: 0, maximum: LONGEST_DELAY_MS },
  },
  preferredBatchSizes: {
    is: (value) => Array.isArray(value) && value.length > 0 && value.every(isRows),
    schema: { type: 'array', minItems: 1, items: ROWS_SCHEMA },
  },
  preserveOrder: { is: (value) => typeof value === 'boolean', schema: { type: 'boolean' } },
  maxWaiting: { is: isRows, schema: ROWS_SCHEMA },
  priorityLevels: { is: isLevel, schema: LEVEL_SCHEMA },
  defaultPriority: { is: isLevel, schema: LEVEL_SCHEMA },
};

/** As text: a word, or fields such as `maxBatchSize=32,maxDelayMs=2`; a list has plus signs between its numbers. */
export const BATCHING: Kind<BatchingChoice> = {
  name: 'batching',
  expected:
    'auto, off, or an object with some of maxBatchSize, maxDelayMs, preferredBatchSizes, preserveOrder, maxWaiting, ' +
    'priorityLevels and defaultPriority; as text: maxBatchSize=32,maxDelayMs=2',
  schema: {
    anyOf: [
      { enum: ['auto', 'off'] },
      {
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        properties: Object.fromEntries(Object.entries(FIELDS).map(([field, { schema }]) => [field, schema])),
      },
    ],
  },
  fromValue,
  fromText(text) {
    const word = text.toLowerCase();
    if (word === 'auto' || word === 'off') return word;
    const fields: Record<string, unknown> = {};
    for (const part of text.split(',')) {
      const [, field, value] = /^\s*(\w+)=(\S+)\s*$/.exec(part) ?? [];
      if (field === undefined || value === undefined || Object.hasOwn(fields, field)) return undefined;
      fields[field] = toValue(field, value);
    }
    return fromValue(fields);
  },
};

function fromValue(value: unknown): BatchingChoice | undefined {
  if (value === 'auto' || value === 'off') return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length === 0) return undefined;
  for (const [field, part] of entries) {
    if (!Object.hasOwn(FIELDS, field) || !FIELDS[field as keyof BatchingLimits].is(part)) return undefined;
  }
  const { defaultPriority, priorityLevels } = value as BatchingLimits;
  return defaultPriority !== undefined && defaultPriority > (priorityLevels ?? 1) ? undefined : value;
}

function toValue(field: string, text: string): unknown {
  if (field === 'preserveOrder') return text === 'true' ? true : text === 'false' ? false : text;
  if (field === 'preferredBatchSizes') return text.split('+').map(Number);
  return Number(text);
}
