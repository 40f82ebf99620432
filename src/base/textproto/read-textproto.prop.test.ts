import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printTextproto } from '../../../test/support/textproto.ts';
import { NimifyError } from '../errors/nimify-error.ts';
import { createSeededRandom } from '../util/seeded-random.ts';
import { readTextproto } from './read-textproto.ts';

const AT = { line: 0, column: 0 };
const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const dotted = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));

const number = fc
  .record({
    written: fc.oneof(
      fc.nat().map((n) => ({ format: 'decimal', text: String(n) })),
      fc.nat().map((n) => ({ format: 'octal', text: `0${n.toString(8)}` })),
      fc.nat().map((n) => ({ format: 'hexadecimal', text: `0x${n.toString(16)}` })),
      fc
        .tuple(
          fc.nat(999),
          fc.nat(999),
          fc.constantFrom('', 'e7', 'E-3', 'e+2'),
          fc.constantFrom('', 'f', 'F'),
        )
        .map(([a, b, exponent, suffix]) => ({ format: 'float', text: `${a}.${b}${exponent}${suffix}` })),
      fc.nat(999).map((n) => ({ format: 'float', text: `${n}f` })),
      fc.nat(999).map((n) => ({ format: 'float', text: `.${n}` })),
    ),
    negative: fc.boolean(),
  })
  .map(({ written, negative }) => ({ type: 'number', ...written, negative, at: AT }));

const scalar = fc.oneof(
  number,
  fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ type: 'string', bytes, at: AT })),
  fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => ({
    type: 'string',
    bytes: new TextEncoder().encode(text),
    at: AT,
  })),
  fc.record({ text: word, negative: fc.boolean() }).map((given) => ({ type: 'word', ...given, at: AT })),
);

const { message } = fc.letrec((tie) => ({
  field: fc
    .record({
      name: fc.oneof(
        word.map((name) => ({ name, kind: 'field' })),
        dotted.map((name) => ({ name, kind: 'extension' })),
        fc.tuple(dotted, dotted).map(([domain, type]) => ({ name: `${domain}/${type}`, kind: 'any' })),
      ),
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(scalar, { minLength: 1, maxLength: 4 }).map((items) => ({ type: 'list', items, at: AT })),
        tie('message'),
        fc.array(tie('message'), { maxLength: 3 }).map((items) => ({ type: 'list', items, at: AT })),
      ),
    })
    .map(({ name, value }) => ({ ...name, value, at: AT })),
  message: fc.array(tie('field'), { maxLength: 5 }).map((fields) => ({ type: 'message', fields, at: AT })),
}));

/** The same without its places. */
function placeless(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(placeless);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'at')
      .map(([key, item]) => [key, placeless(item)]),
  );
}

describe('readTextproto', () => {
  it('reads back whatever is written, however it is laid out', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 1 }), (written, seed) => {
        const text = printTextproto(written as never, { choose: createSeededRandom(seed) });
        expect(placeless(readTextproto(text, 'file'))).toEqual(placeless(written));
      }),
    );
  });

  it('reads any text or refuses it with a place inside it', () => {
    const pieces = fc.array(
      fc.constantFrom(
        'a',
        ':',
        '{',
        '}',
        '<',
        '>',
        '[',
        ']',
        ',',
        ';',
        '"',
        "'",
        '\\',
        '0',
        '1.5',
        '-',
        '#',
        '\n',
        ' ',
        'é',
        '\0',
        '/',
        '.',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          try {
            readTextproto(text, 'file');
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(NimifyError);
            const { code, message: said, details } = thrown as NimifyError;
            expect(code).toBe('INVALID_INPUT');
            const { line, column } = details as unknown as { line: number; column: number };
            expect(said.startsWith(`file:${line}:${column}: `)).toBe(true);
            const lines = text.split('\n');
            expect(line).toBeLessThanOrEqual(lines.length);
            expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
