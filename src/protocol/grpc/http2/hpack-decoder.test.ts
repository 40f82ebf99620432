import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './hpack-decoder.ts';
import { decodeHuffman } from './huffman.ts';

function decoded(decoder: HpackDecoder, hex: string): string[] {
  const fields: string[] = [];
  decoder.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'), (name, value) =>
    fields.push(`${name}: ${value}`),
  );
  return fields;
}

const GET = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];

describe('HpackDecoder', () => {
  it.each([
    [
      'in plain texts (RFC 7541, C.3)',
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    [
      'in coded ones (RFC 7541, C.4)',
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
  ])('reads requests one after the other, %s', (_how, ...blocks) => {
    const decoder = new HpackDecoder();
    expect(blocks.map((block) => decoded(decoder, block))).toEqual([
      GET,
      [...GET, 'cache-control: no-cache'],
      [
        ':method: GET',
        ':scheme: https',
        ':path: /index.html',
        ':authority: www.example.com',
        'custom-key: custom-value',
      ],
    ]);
    expect(decoder.changes).toBe(3);
  });

  it('lets the oldest fields go where the table is smaller', () => {
    const decoder = new HpackDecoder();
    // A table of 100 bytes: two fields of 34 each and one of 38 do not fit.
    const added = decoded(decoder, '3f 45 40 01 61 01 31 40 01 62 01 32 40 03 636363 03 333333');
    expect(added).toEqual(['a: 1', 'b: 2', 'ccc: 333']);
    expect(decoded(decoder, 'be bf')).toEqual(['ccc: 333', 'b: 2']);
    expect(() => decoded(decoder, 'c0')).toThrow('a field that is not there');
  });

  it('empties the table for a field that is larger than it', () => {
    const decoder = new HpackDecoder();
    const large = `40 01 61 7f 83 1f ${'62'.repeat(4098)}`;
    decoded(decoder, '40 01 61 01 31');
    expect(decoded(decoder, large)).toEqual([`a: ${'b'.repeat(4098)}`]);
    expect(() => decoded(decoder, 'be')).toThrow('a field that is not there');
  });

  it('keeps nothing of a field that is not to be kept', () => {
    const decoder = new HpackDecoder();
    expect(decoded(decoder, '00 01 61 01 31 10 01 62 01 32')).toEqual(['a: 1', 'b: 2']);
    expect(decoder.changes).toBe(0);
  });

  it.each([
    ['80', 'no field 0'],
    ['be', 'a field that is not there'],
    ['ff ff ff ff ff ff 01', 'a number that is too large'],
    ['ff', 'ends within a field'],
    ['40 01', 'ends within a text'],
    ['40 01 61', 'ends within a field'],
    ['40 01 61 05 31', 'ends within a text'],
    ['3f e2 1f', 'larger than was allowed'],
    ['82 20', 'changes its size after a field'],
    ['40 01 61 81 00', 'no proper code'],
    ['40 01 61 84 ff ff ff ff', 'no proper code'],
    ['40 01 61 82 1f ff', 'no proper code'],
  ])('refuses %s: %s', (block, message) => {
    expect(() => decoded(new HpackDecoder(), block)).toThrow(message);
    expect(() => decoded(new HpackDecoder(), block)).toThrow(expect.objectContaining({ code: 9 }));
  });
});

describe('decodeHuffman', () => {
  it.each([
    ['', ''],
    ['07', '0'],
    // Of 5 and of 30 bits, and the padding within the last byte.
    ['ffff fff3', '\n'],
    ['1f', 'a'],
  ])('%s stands for %j', (coded, text) => {
    expect(decodeHuffman(Buffer.from(coded.replaceAll(' ', ''), 'hex'))?.toString('latin1')).toBe(text);
  });

  it.each(['ff', '1fff', 'ffffffff', '00ff ff', '18'])('%s is no proper code', (coded) => {
    expect(decodeHuffman(Buffer.from(coded.replaceAll(' ', ''), 'hex'))).toBeUndefined();
  });
});
