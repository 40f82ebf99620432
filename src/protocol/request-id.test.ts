import { describe, expect, it } from 'vitest';
import { requestIdOf } from './request-id.ts';

describe('requestIdOf', () => {
  it('takes what is safe', () => {
    expect(requestIdOf({ headers: { 'x-request-id': 'abc-1.2:3_4' } })).toBe('abc-1.2:3_4');
  });

  it.each(['', 'a b', 'a"b', 'ü', 'x'.repeat(129)])('makes its own in place of %j', (sent) => {
    expect(requestIdOf({ headers: { 'x-request-id': sent } })).toMatch(/^[0-9a-f-]{36}$/);
  });
});
