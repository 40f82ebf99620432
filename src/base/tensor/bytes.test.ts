import { describe, expect, it } from 'vitest';
import { toBytesData, toStrings } from './bytes.ts';

describe('toBytesData and toStrings', () => {
  it('round-trip text of every UTF-8 length, empty strings included', () => {
    const strings = ['', 'a', 'grüße', '漢字', '🙂', '\u{feff}mark', ''];
    expect(toStrings(toBytesData(strings))).toEqual(strings);
  });

  it('pack the bytes without gaps', () => {
    const { bytes, offsets } = toBytesData(['ü', '', 'ab']);
    expect([...bytes]).toEqual([0xc3, 0xbc, 0x61, 0x62]);
    expect([...offsets]).toEqual([0, 2, 2, 4]);
  });

  it('read elements whose offsets start above 0', () => {
    const { bytes, offsets } = toBytesData(['one', 'two', 'three']);
    expect(toStrings({ bytes, offsets: offsets.subarray(1) })).toEqual(['two', 'three']);
  });

  it('replace what has no text', () => {
    expect(toStrings({ bytes: Uint8Array.of(0xff), offsets: Uint32Array.of(0, 1) })).toEqual(['\ufffd']);
    expect(toStrings(toBytesData(['\ud800']))).toEqual(['\ufffd']);
  });

  it('take no strings at all', () => {
    expect(toStrings(toBytesData([]))).toEqual([]);
  });
});
