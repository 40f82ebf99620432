import { describe, expect, it } from 'vitest';
import { replyCodingFor } from './accept-encoding.ts';

describe('replyCodingFor', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['deflate', 'deflate'],
    ['br', 'identity'],
    ['gzip, deflate, br', 'gzip'],
    ['deflate, gzip;q=0.5', 'deflate'],
    ['gzip;q=0.2, deflate;q=0.9', 'deflate'],
    ['gzip;q=0', 'identity'],
    ['identity, gzip;q=0.5', 'identity'],
    ['gzip;q=0.001', 'gzip'],
    ['*', 'gzip'],
    ['*;q=0.1, deflate', 'deflate'],
    ['gzip;q=0, *', 'deflate'],
    ['identity;q=0', 'identity'],
    ['gzip;q=nonsense', 'identity'],
    ['gzip; Q=0.8 , deflate ; q=0.3', 'gzip'],
  ])('%j is answered in %s', (header, coding) => {
    expect(replyCodingFor(header)).toBe(coding);
  });
});
