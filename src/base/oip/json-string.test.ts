import { describe, expect, it } from 'vitest';
import { copyText, createStringToken, scanString, textOf } from './json-string.ts';

/** What is said of a string, given as JSON, that stands between other bytes. */
function scan(json: string | Uint8Array) {
  const string = Buffer.from(json);
  const bytes = Buffer.concat([Buffer.from('[7,'), string, Buffer.from(',"next"]')]);
  const token = createStringToken();
  const end = scanString(bytes, 3, token, 'here');
  return { bytes, token, end: end - 3 };
}

function read(json: string): string {
  const { bytes, token } = scan(json);
  const into = new Uint8Array(token.end - token.start + 2).fill(0x3f);
  const end = copyText(bytes, token, into, 1);
  const text = textOf(bytes, token);
  expect(Buffer.from(into.subarray(1, end)).toString()).toBe(text);
  // Nothing around it is touched.
  expect([into[0], into[end]]).toEqual([0x3f, 0x3f]);
  return text;
}

/** What is refused, with all that follows cut off. */
const refusal = (bytes: string | Uint8Array) => () =>
  scanString(Buffer.from(bytes), 0, createStringToken(), 'here');

describe('scanString', () => {
  it('finds the string, and what kind of string it is', () => {
    for (const [json, escaped, ascii] of [
      ['""', false, true],
      ['"a"', false, true],
      ['"\x7f"', false, true],
      ['"\x80"', false, false],
      ['"\\n"', true, true],
      ['"\\u00e9"', true, true],
      ['"数\\""', true, false],
    ] as const) {
      const { token, end } = scan(json);
      const length = Buffer.byteLength(json);
      expect(token).toEqual({ start: 4, end: 2 + length, escaped, ascii });
      expect(end).toBe(length);
    }
  });

  it.each([
    ['what is no string', '5', 'here: expected a string, got the number 5 (byte 0)'],
    [
      'no closing quote',
      '"abc',
      'here: expected the closing quote of a string, got the end of the JSON (byte 4)',
    ],
    [
      'an escape in place of the closing quote',
      '"a\\"',
      'here: expected the closing quote of a string, got the end of the JSON (byte 4)',
    ],
    [
      'a control character',
      '"a\x1f"',
      'here: expected control characters in a string to be escaped, got the byte 0x1f (byte 2)',
    ],
    [
      'an unknown escape',
      '"a\\xbc"',
      'here: expected one of "\\/bfnrtu after a backslash, got the word xbc (byte 3)',
    ],
    [
      'a backslash at the end',
      '"a\\',
      'here: expected one of "\\/bfnrtu after a backslash, got the end of the JSON (byte 3)',
    ],
    [
      'three hexadecimal digits',
      '"\\u123"',
      'here: expected four hexadecimal digits after \\u, got the number 123 (byte 3)',
    ],
    [
      'three hexadecimal digits at the end',
      '"\\u123',
      'here: expected four hexadecimal digits after \\u, got the number 123 (byte 3)',
    ],
  ])('refuses %s', (_, json, message) => {
    expect(refusal(json)).toThrow(message);
  });

  it('takes the digits and letters of hexadecimal, and no others', () => {
    for (const digit of '0123456789abcdefABCDEF') {
      const code = Number.parseInt(`00${digit}1`, 16);
      expect(read(`"\\u00${digit}1"`)).toBe(String.fromCharCode(code));
    }
    for (const other of '/:`g@G{ ') expect(refusal(`"\\u00${other}1"`)).toThrow('four hexadecimal digits');
  });

  it.each([
    ['a high surrogate alone', '\\ud800'],
    ['a high surrogate and a letter', '\\udbffx'],
    ['a high surrogate and a letter, then what is like the half of an escape', '\\ud83dxudc00'],
    ['a high surrogate and another escape', '\\ud83d\\n0041'],
    ['a high surrogate and a character below the low ones', '\\ud83d\\udbff'],
    ['a high surrogate and a character above the low ones', '\\ud83d\\ue000'],
    ['a high surrogate and no digits', '\\ud83d\\uxxxx'],
    ['a low surrogate', '\\udc00'],
    ['a low surrogate before a low one', '\\udfff\\udc00'],
  ])('refuses %s', (_, text) => {
    expect(refusal(`"${text}"`)).toThrow('here: expected a surrogate escape to be one of a pair, got');
    expect(refusal(`"${text}"`)).toThrow('(byte 1)');
  });

  it('refuses a pair that is cut short', () => {
    for (const text of ['"\\ud83d', '"\\ud83d\\', '"\\ud83d\\u', '"\\ud83d\\udc0'])
      expect(refusal(text)).toThrow('expected a surrogate escape to be one of a pair');
  });

  it('refuses bytes that are no UTF-8, and says where the string is', () => {
    const place = [0x22, 0x61, 0xff, 0x22];
    const bytes = Uint8Array.from([0x20, 0x20, ...place]);
    for (const where of ['inputs[0]', () => 'inputs[0]']) {
      expect(() => scanString(bytes, 2, createStringToken(), where)).toThrow(
        expect.objectContaining({
          code: 'INVALID_INPUT',
          message:
            'inputs[0]: expected UTF-8 text, got other bytes (string at byte 2); send bytes that are no text as binary data',
          details: { where: 'inputs[0]', expected: 'UTF-8 text' },
        }),
      );
    }
    // A lone surrogate in UTF-8, and a byte that only continues.
    expect(refusal(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toThrow('expected UTF-8 text');
    expect(refusal(Uint8Array.of(0x22, 0x80, 0x22))).toThrow('expected UTF-8 text');
  });
});

describe('textOf and copyText', () => {
  it.each([
    'plain',
    'é数😀',
    '\x7f\x80',
    '\ufeffwith a byte order mark',
    'x'.repeat(33),
    'x'.repeat(64),
    'x'.repeat(65),
    `${'数'.repeat(30)}, long and no ASCII`,
  ])('give %s as it is', (text) => {
    expect(read(`"${text}"`)).toBe(text);
  });

  it('give what escapes stand for', () => {
    expect(read('"\\"\\\\\\/\\b\\f\\n\\r\\t"')).toBe('"\\/\b\f\n\r\t');
    expect(read('"a\\u0062c\\ndé\\u6570"')).toBe('abc\ndé数');
    for (const char of ['\0', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ue000', '\uffff']) {
      const code = char.charCodeAt(0).toString(16).padStart(4, '0');
      expect(read(`"<\\u${code}>"`)).toBe(`<${char}>`);
      expect(read(`"<\\u${code.toUpperCase()}>"`)).toBe(`<${char}>`);
    }
    for (const pair of ['\u{10000}', '\u{103ff}', '\u{10ffff}', '\u{10fc00}', '😀']) {
      const [high, low] = [0, 1].map((index) => pair.charCodeAt(index).toString(16));
      expect(read(`"<\\u${high}\\u${low}>"`)).toBe(`<${pair}>`);
    }
  });
});
