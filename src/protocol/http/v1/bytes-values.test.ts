import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toStrings } from '../../../base/tensor/bytes.ts';
import { scanBytesValues } from './bytes-values.ts';

function scan(text: string) {
  const bytes = Buffer.from(text);
  const { data, shape, end } = scanBytesValues(bytes, 0, 'x');
  return { texts: toStrings(data), shape, rest: bytes.length - end };
}

const b64 = (text: string) => ({ b64: Buffer.from(text).toString('base64') });

describe('scanBytesValues', () => {
  it('reads strings and b64 in any nesting', () => {
    expect(scan(JSON.stringify(b64('hi')))).toEqual({ texts: ['hi'], shape: [], rest: 0 });
    expect(
      scan(
        JSON.stringify([
          [b64('a'), 'b'],
          ['ü\n', b64('')],
        ]),
      ),
    ).toEqual({
      texts: ['a', 'b', 'ü\n', ''],
      shape: [2, 2],
      rest: 0,
    });
    expect(scan('[[],[]]')).toMatchObject({ texts: [], shape: [2, 0] });
  });

  it.each([
    ['lists of different lengths', '[["a"],["b","c"]]'],
    ['lists of different depths', '["a",["b"]]'],
    ['a string beside lists', '[["a"],"b"]'],
    ['lists beside empty ones', '[[],[["a"]]]'],
    ['numbers', '[1]'],
    ['another object', '[{"c64":"YQ=="}]'],
    ['two members', '[{"b64":"YQ==","x":1}]'],
    ['an empty object', '[{}]'],
    ['a number as b64', '[{"b64":1}]'],
    ['damaged base64', '[{"b64":"Y*=="}]'],
    ['an open list', '["a"'],
    ['depth beyond the highest rank', `${'['.repeat(40)}"a"${']'.repeat(40)}`],
  ])('refuses %s', (_, text) => {
    expect(() => scan(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('gives back what was written, however it was written', () => {
    const element = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(element, fc.boolean()), { minLength: 1 }), (parts) => {
        const { texts } = scan(JSON.stringify(parts.map(([text, encoded]) => (encoded ? b64(text) : text))));
        expect(texts).toEqual(parts.map(([text]) => text));
      }),
    );
  });
});
