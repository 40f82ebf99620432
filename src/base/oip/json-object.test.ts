import { describe, expect, it } from 'vitest';
import { expectEnd, readString, refuseNonJsonStart, scanArray, scanObject, shorten } from './json-object.ts';
import { skipValue } from './json-value.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** The values of the array at the start of a text, as texts, and where it ends. */
function elementsOf(text: string) {
  const bytes = encode(text);
  const elements: [number, string][] = [];
  const end = scanArray(bytes, 0, 'list', (index, at) => {
    const elementEnd = skipValue(bytes, at, `list[${index}]`);
    elements.push([index, text.slice(at, elementEnd)]);
    return elementEnd;
  });
  return { elements, end };
}

describe('scanArray', () => {
  it('visits the elements in their order, whatever space is between them', () => {
    expect(elementsOf('[1,[2,3],"4"] ')).toEqual({
      elements: [
        [0, '1'],
        [1, '[2,3]'],
        [2, '"4"'],
      ],
      end: 13,
    });
    expect(elementsOf(' [ 1 ,\n2\t]x')).toEqual({
      elements: [
        [0, '1'],
        [1, '2'],
      ],
      end: 10,
    });
    expect(elementsOf('[]')).toEqual({ elements: [], end: 2 });
    expect(elementsOf('[ ]')).toEqual({ elements: [], end: 3 });
  });

  it.each([
    ['{}', 'list: expected an array, got an object (byte 0)'],
    ['', 'list: expected an array, got the end of the JSON (byte 0)'],
    ['[1 2]', "list: expected ',' or ']', got the number 2 (byte 3)"],
    ['[1', "list: expected ',' or ']', got the end of the JSON (byte 2)"],
    ['[1}', "list: expected ',' or ']', got the character } (byte 2)"],
    ['[1,]', 'list[1]: expected a JSON value, got the character ] (byte 3)'],
  ])('refuses %s', (text, message) => {
    expect(() => elementsOf(text)).toThrow(message);
  });
});

describe('scanObject', () => {
  it('takes 16384 keys and no more', () => {
    const scan = (count: number) => {
      const keys = Array.from({ length: count }, (_, index) => `"${index}":0`);
      let visited = 0;
      scanObject(encode(`{${keys.join(',')}}`), 0, 'body', (_, at) => {
        visited += 1;
        return at + 1;
      });
      return visited;
    };
    expect(scan(16_384)).toBe(16_384);
    expect(() => scan(16_385)).toThrow('body: expected at most 16384 keys, got more');
  });

  it('shortens a long key that comes twice', () => {
    const key = 'k'.repeat(65);
    expect(() => scanObject(encode(`{"${key}":0,"${key}":0}`), 0, 'body', (_, at) => at + 1)).toThrow(
      `body: expected every key once, got the key '${'k'.repeat(61)}...' twice`,
    );
  });
});

describe('readString', () => {
  it('gives the text and where it ends', () => {
    expect(readString(encode('["\\u0061b"]'), 1, 'here')).toEqual({ text: 'ab', end: 10 });
  });
});

describe('shorten', () => {
  it('leaves 64 characters, and cuts more down to 64', () => {
    const text = 'abcd'.repeat(16);
    expect(shorten(text)).toBe(text);
    expect(shorten(`${text}e`)).toBe(`${text.slice(0, 61)}...`);
  });
});

describe('refuseNonJsonStart', () => {
  it.each([
    [
      'no bytes',
      [],
      'body: expected a JSON object, got no bytes',
      { where: 'body', expected: 'a JSON object' },
    ],
    [
      'a byte order mark',
      [0xef, 0xbb, 0xbf, 0x7b],
      'body: expected JSON without a byte order mark, got one; save it as plain UTF-8',
      { where: 'body' },
    ],
  ])('refuses %s', (_, bytes, message, details) => {
    expect(() => refuseNonJsonStart(Uint8Array.from(bytes), 'body')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message, details }),
    );
  });

  it('lets everything else pass, also the half of a byte order mark', () => {
    for (const bytes of [[0xef, 0xbb, 0x7b], [0xef, 0x7b, 0xbf], [0x7b, 0xbb, 0xbf], [0xef], [0x7b]]) {
      expect(() => refuseNonJsonStart(Uint8Array.from(bytes), 'body')).not.toThrow();
    }
  });
});

describe('expectEnd', () => {
  it('takes white space, and nothing else', () => {
    expect(() => expectEnd(encode('{} \n\t\r'), 2, 'body')).not.toThrow();
    expect(() => expectEnd(encode('{} ,'), 2, 'body')).toThrow(
      'body: expected nothing after the JSON object, got the character , (byte 3)',
    );
  });
});
