import { expect, it } from 'vitest';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import { Allowance } from './allowance.ts';

/** How many are taken before one is refused. */
function takeAll(allowance: Allowance): number {
  for (let count = 0; ; count += 1) if (!allowance.take()) return count;
}

it('allows so many at once, so many a second after that, and never more than at the start', () => {
  const clock = createFakeClock();
  const allowance = new Allowance(clock, { most: 100, perSecond: 8 });
  expect(takeAll(allowance)).toBe(100);
  clock.advance(62.5);
  expect(takeAll(allowance)).toBe(0);
  clock.advance(62.5);
  expect(takeAll(allowance)).toBe(1);
  clock.advance(2500);
  expect(takeAll(allowance)).toBe(20);
  clock.advance(3600e3);
  expect(takeAll(allowance)).toBe(100);
});

it('allows one more for each that does not count, and never more than at the start', () => {
  const allowance = new Allowance(createFakeClock(), { most: 3, perSecond: 10 });
  allowance.giveBack();
  expect(takeAll(allowance)).toBe(3);
  allowance.giveBack();
  allowance.giveBack();
  expect(takeAll(allowance)).toBe(2);
});
