import { describe, expect, it } from 'vitest';
import { toMilliseconds, toNames, toPort, toPositive } from './flag-values.ts';

describe('flag values', () => {
  it('reads what it should', () => {
    expect(toPort('0')).toBe(0);
    expect(toPort('65535')).toBe(65_535);
    expect(toPositive('12')).toBe(12);
    expect(toMilliseconds('0')).toBe(0);
    expect(toNames('a, b')).toEqual(['a', 'b']);
  });

  it.each(['65536', '-1', '1.5', '0x10', '', ' 1', '1e3'])('refuses %j as a port', (text) => {
    expect(() => toPort(text)).toThrow(/expected a port/);
  });

  it('refuses zero where one is the least, and an empty name', () => {
    expect(() => toPositive('0')).toThrow(/at least 1/);
    expect(() => toNames('a,')).toThrow(/names/);
  });
});
