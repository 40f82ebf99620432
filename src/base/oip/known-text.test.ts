import { afterEach, describe, expect, it, vi } from 'vitest';
import { knownText } from './known-text.ts';

const read = (text: string) => {
  const bytes = new TextEncoder().encode(`"${text}"`);
  return knownText(bytes, 1, bytes.length - 1);
};

describe('knownText', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('is the text, however many others share its place', () => {
    const texts = Array.from({ length: 5000 }, (_, index) => `name_${index}`);
    for (const text of [...texts, ...texts.toReversed(), '', 'a', 'A', '\x7f']) expect(read(text)).toBe(text);
  });

  it('tells apart texts of one hash', () => {
    // 31 * 'A' + 'a' === 31 * 'B' + 'B', and the same with a letter after.
    for (const text of ['Aa', 'BB', 'Aa', 'AaAa', 'BBBB', 'AaBB', 'BBAa']) expect(read(text)).toBe(text);
  });

  it('makes no string that it has, of several in turn', () => {
    const members = ['id', 'inputs', 'name', 'shape', 'datatype', 'data'];
    for (const text of members) read(text);
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    for (const text of members) expect(read(text)).toBe(text);
    expect(decode).not.toHaveBeenCalled();
  });

  it('keeps the last of those that share a place', () => {
    read('BB');
    const decode = vi.spyOn(TextDecoder.prototype, 'decode');
    for (const text of ['Aa', 'Aa', 'BB', 'BB', 'Aa']) read(text);
    expect(decode).toHaveBeenCalledTimes(3);
  });
});
