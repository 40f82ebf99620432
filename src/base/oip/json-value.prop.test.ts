import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import { scanObjectMembers } from './json-object.ts';
import { createStringToken, scanString, textOf } from './json-string.ts';
import { skipSpace, skipValue } from './json-value.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** True where the scanner takes the whole text for one value. */
function accepts(bytes: Uint8Array): boolean {
  try {
    return skipSpace(bytes, skipValue(bytes, 0, 'value')) === bytes.length;
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(NimifyError);
    expect((thrown as NimifyError).code).toBe('INVALID_INPUT');
    return false;
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON-like texts, most of them broken: tokens in any order, and valid JSON with a character changed. */
const nearlyJson = fc.oneof(
  fc.json(),
  fc
    .array(
      fc.constantFrom(
        ...[
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '"a"',
          '"\\n"',
          '"\\u00e9"',
          '\\',
          ' ',
          '\n',
          '\u00a0',
          'true',
        ],
        ...[
          'false',
          'null',
          'nul',
          '0',
          '-',
          '-0',
          '01',
          '1.',
          '1.5',
          '.5',
          '1e5',
          '1e',
          '1E+2',
          '+1',
          '\t',
          'é',
        ],
      ),
      { maxLength: 12 },
    )
    .map((tokens) => tokens.join('')),
  fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom(',', '"', ']', '}', '0', ' ', 'e', '-', '\\', '\u0001', ''))
    .map(([text, at, char]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + char + text.slice(cut + 1);
    }),
);

/** Texts about which the scanner differs from JSON.parse on purpose. */
const differs = (text: string) => /NaN|Infinity|\\u[dD][89a-fA-F]/.test(text);

describe('skipValue', () => {
  it('accepts what JSON.parse accepts, and nothing else', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        fc.pre(!differs(text));
        expect(accepts(encode(text))).toBe(parses(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('accepts every value with white space around every token', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const spaced = JSON.stringify(value, undefined, '\t');
        fc.pre(!differs(spaced));
        expect(accepts(encode(` \r\n${spaced}\n`))).toBe(true);
      }),
    );
  });

  it('takes the barewords that Python writes', () => {
    expect(accepts(encode('[NaN, Infinity, -Infinity]'))).toBe(true);
    expect(accepts(encode('[nan]'))).toBe(false);
    expect(accepts(encode('[-NaN]'))).toBe(false);
  });

  it('stops at 64 levels, without recursion', () => {
    expect(accepts(encode('['.repeat(64) + ']'.repeat(64)))).toBe(true);
    expect(accepts(encode('['.repeat(65) + ']'.repeat(65)))).toBe(false);
    expect(accepts(encode('['.repeat(1_000_000)))).toBe(false);
    expect(accepts(encode('{"a":'.repeat(1_000_000)))).toBe(false);
  });

  it('refuses bytes that are no UTF-8', () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      expect(accepts(Uint8Array.of(0x22, ...bytes, 0x22))).toBe(false);
    }
  });
});

describe('scanString and textOf', () => {
  it('read any text, escaped or not, as JSON.parse does', () => {
    const escapeAll = (text: string) =>
      `"${[...text].map((char) => [...char.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')).join('')}"`;
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.boolean(), (text, escaped) => {
        fc.pre(text.isWellFormed());
        const bytes = encode(escaped ? escapeAll(text) : JSON.stringify(text));
        const token = createStringToken();
        expect(scanString(bytes, 0, token, 'text')).toBe(bytes.length);
        expect(textOf(bytes, token)).toBe(text);
      }),
    );
  });

  it.each([
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\ud800"',
    '"\\ud800x"',
    '"\\u12g4"',
    '"\\x"',
    '"\\u12',
    '"a',
    '"a\nb"',
  ])('refuse %s', (text) => {
    expect(accepts(encode(text))).toBe(false);
  });
});

describe('scanObjectMembers', () => {
  it('finds the members that JSON.parse finds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })),
        fc.boolean(),
        (value, spaced) => {
          const text = JSON.stringify(value, undefined, spaced ? 2 : 0);
          fc.pre(!differs(text));
          const bytes = encode(text);
          const members = scanObjectMembers(bytes, 'body');
          const found = [...members].map(([key, { start, end }]) => [
            key,
            JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))),
          ]);
          expect(found).toEqual(Object.entries(JSON.parse(text)));
        },
      ),
    );
  });

  const refusals = [
    ['', 'body: expected a JSON object, got no bytes'],
    ['\ufeff{}', 'body: expected JSON without a byte order mark'],
    ['[]', 'body: expected an object, got an array (byte 0)'],
    ['{} x', 'body: expected nothing after the JSON object, got the word x (byte 3)'],
    ['{"a":1,"a":2}', "body: expected every key once, got the key 'a' twice"],
    ['{"a":1,"\\u0061":2}', "body: expected every key once, got the key 'a' twice"],
    ['{"a":1,}', 'body: expected a key in quotes, got the character } (byte 7)'],
    ['{"a":[1,]}', 'body.a: expected a JSON value, got the character ] (byte 8)'],
    ['{"a" 1}', "body: expected ':' after a key, got the number 1 (byte 5)"],
    ['{"a":1', "body: expected ',' or '}', got the end of the JSON (byte 6)"],
  ] as const;
  it.each(refusals)('refuses %s', (text, message) => {
    expect(() => scanObjectMembers(encode(text), 'body')).toThrow(message);
  });
});
