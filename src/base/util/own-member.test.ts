import { expect, it } from 'vitest';
import { ownMember } from './own-member.ts';

it('finds what a record has itself, and nothing that it inherits', () => {
  expect(ownMember({ constructor: 1, b: 2 }, 'constructor')).toBe(1);
  expect(ownMember<number>({}, 'constructor')).toBeUndefined();
  expect(ownMember<number>({}, '__proto__')).toBeUndefined();
});
