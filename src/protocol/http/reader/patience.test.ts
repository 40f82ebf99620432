import { expect, it } from 'vitest';
import { createPatience } from './patience.ts';

it('patience counts from the first look after it was renewed', () => {
  const patience = createPatience(1e6);
  expect(patience.waitedMs(5e6)).toBe(4);
  expect(patience.isFresh).toBe(true);
  patience.renew();
  expect(patience.waitedMs(8e6)).toBe(0);
  expect(patience.waitedMs(10e6)).toBe(2);
  expect(patience.waitedMs(11e6)).toBe(3);
  patience.renew();
  patience.renew();
  expect(patience.waitedMs(20e6)).toBe(0);
  expect(patience.isFresh).toBe(false);
});
