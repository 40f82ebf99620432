import fc from 'fast-check';
import { expect, it } from 'vitest';
import { linearScale, logScale, text } from '../../bench/harness/svg.mjs';

it('places the ends of a scale, and only round values within', () => {
  const linear = linearScale([0, 430], [0, 100]);
  expect([linear.place(0), linear.place(430)]).toEqual([0, 100]);
  expect(linear.ticks).toEqual([0, 100, 200, 300, 400]);
  const log = logScale([4, 900], [100, 0]);
  expect(log.place(4)).toBeCloseTo(100);
  expect(log.place(900)).toBeCloseTo(0);
  expect(log.ticks).toEqual([10, 30, 100, 300]);
});

it('has a few ticks, whatever the range', () => {
  const range = fc
    .tuple(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), fc.double({ min: 1.7, max: 1e4, noNaN: true }))
    .map(([low, times]): [number, number] => [low, low * times]);
  fc.assert(
    fc.property(range, ([low, high]) => {
      const linear = linearScale([0, high], [0, 1]).ticks.length;
      const log = logScale([low, high], [0, 1]).ticks;
      expect(linear).toBeGreaterThan(1);
      expect(linear).toBeLessThan(13);
      expect(log.length).toBeLessThan(13);
      for (const tick of log) expect(tick >= low * 0.999 && tick <= high * 1.001).toBe(true);
    }),
  );
});

it('escapes what it writes', () => {
  expect(text(0, 0, 'p99 < 5 & more')).toContain('p99 &lt; 5 &amp; more');
});
