import type { JsonSchema, Kind } from './kind.ts';

/** What one field of an object takes. */
export interface Field {
  is(value: unknown): boolean;
  readonly schema: JsonSchema;
}

export type Fields<F> = Readonly<Record<keyof F & string, Field>>;

/** A number from `min` to `max`. */
export function numberFrom(min: number, max: number): Field {
  return {
    is: (value) => typeof value === 'number' && value >= min && value <= max,
    schema: { type: 'number', minimum: min, maximum: max },
  };
}

/** A whole number from `min` to `max`. */
export function wholeFrom(min: number, max: number): Field {
  return {
    is: (value) => Number.isSafeInteger(value) && numberFrom(min, max).is(value),
    schema: { type: 'integer', minimum: min, maximum: max },
  };
}

/** One of a few words. */
export function wordOf(words: readonly string[]): Field {
  return { is: (value) => words.some((word) => word === value), schema: { enum: words } };
}

/** A word, or an object with some of the fields; as text: fields such as `maxTries=3,share=0.1`. */
export function wordOrFields<W extends string, F>(
  name: string,
  words: readonly W[],
  fields: Fields<F>,
): Kind<W | Partial<F>> {
  const names = Object.keys(fields) as (keyof F & string)[];
  const first = names[0]!;

  function fromValue(value: unknown): W | Partial<F> | undefined {
    const word = words.find((each) => each === value);
    if (word !== undefined) return word;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    const fits = ([field, part]: [string, unknown]) =>
      Object.hasOwn(fields, field) && fields[field as keyof F & string].is(part);
    return entries.length > 0 && entries.every(fits) ? (value as Partial<F>) : undefined;
  }

  return {
    name,
    expected: [
      ...words,
      `${words.length === 0 ? 'an' : 'or an'} object with some of ${names.join(', ')}; as text: ${first}=<value>,...`,
    ].join(', '),
    schema: {
      anyOf: [
        ...(words.length === 0 ? [] : [{ enum: words }]),
        {
          type: 'object',
          minProperties: 1,
          additionalProperties: false,
          properties: Object.fromEntries(names.map((field) => [field, fields[field].schema])),
        },
      ],
    },
    fromValue,
    fromText(text) {
      const word = words.find((each) => each === text.toLowerCase());
      if (word !== undefined) return word;
      const given: Record<string, unknown> = {};
      for (const part of text.split(',')) {
        const [, field, value] = /^\s*(\w+)=(\S+)\s*$/.exec(part) ?? [];
        if (field === undefined || value === undefined || Object.hasOwn(given, field)) return undefined;
        given[field] = /^[\d.]+$/.test(value) ? Number(value) : value;
      }
      return fromValue(given);
    },
  };
}
