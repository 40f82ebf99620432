import { describe, expect, it } from 'vitest';
import { quoteName } from './quote-name.ts';

describe('quoteName', () => {
  it('keeps ordinary names, slashes and other scripts', () => {
    expect(quoteName('gpu_0/data_0')).toBe("'gpu_0/data_0'");
    expect(quoteName('größe 数')).toBe("'größe 数'");
  });

  it('takes the power from terminal sequences and bounds the length', () => {
    expect(quoteName('a\u001b[31mb\nc')).toBe("'a?[31mb?c'");
    expect(quoteName('x'.repeat(100))).toBe(`'${'x'.repeat(100)}'`);
    expect(quoteName('x'.repeat(1_000_000))).toBe(`'${'x'.repeat(100)}...'`);
  });
});
