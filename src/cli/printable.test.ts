import { describe, expect, it } from 'vitest';
import { printable, printableLines } from './printable.ts';

describe('printable', () => {
  it('leaves text of any language alone', () => {
    expect(printable('Où 今日は 😀 "x"')).toBe('Où 今日は 😀 "x"');
  });

  it('shows what would steer a terminal', () => {
    expect(printable('a\u001b[31mb\u0007\r\n\t\u009b')).toBe('a\\u001b[31mb\\u0007\\u000d\\n\\t\\u009b');
    expect(printable('user\u202egnp.exe')).toBe('user\\u202egnp.exe');
  });

  it('keeps lines where several are meant', () => {
    expect(printableLines('a\nb\u0000')).toBe('a\nb\\u0000');
  });
});
