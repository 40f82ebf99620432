import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createOutliers, type OutlierOptions } from './outliers.ts';

function setUp(count: number, options: OutlierOptions = {}) {
  const clock = createFakeClock();
  const told: string[] = [];
  const listener = {
    ejected: (member: number, reason: string, forMs: number) => told.push(`${member} ${reason} ${forMs}`),
    restored: (member: number) => told.push(`${member} back`),
  };
  const outliers = createOutliers({ clock, listener }, count, options);
  const ran = (member: number, calls: number, isFault = false, ms = 1) => {
    for (let call = 0; call < calls; call++) outliers.ended(member, ms * 1e6, isFault);
  };
  return { clock, told, outliers, ran };
}

describe('createOutliers', () => {
  it('ejects what fails five times in a row, and takes it back after a time', () => {
    const { clock, told, outliers, ran } = setUp(2);
    ran(0, 4, true);
    ran(0, 1);
    ran(0, 4, true);
    expect(outliers.isEjected(0)).toBe(false);
    ran(0, 1, true);
    expect(outliers.isEjected(0)).toBe(true);
    clock.advance(1999);
    expect(outliers.isEjected(0)).toBe(true);
    clock.advance(1);
    expect(outliers.isEjected(0)).toBe(false);
    expect(told).toEqual(['0 errors 2000', '0 back']);
  });

  it('ejects for longer each time', () => {
    const { clock, told, outliers, ran } = setUp(2, { maxEjectionMs: 5000 });
    for (let time = 0; time < 3; time++) {
      ran(1, 5, true);
      clock.advance(10_000);
      outliers.isEjected(1);
    }
    expect(told.filter((text) => text.includes('errors'))).toEqual([
      '1 errors 2000',
      '1 errors 4000',
      '1 errors 5000',
    ]);
  });

  it('ejects what fails far more often than the others, and not what fails as often', () => {
    const { clock, told, ran } = setUp(3);
    for (let round = 0; round < 30; round++) {
      ran(0, 1, round % 3 === 0);
      ran(1, 1, round % 30 === 0);
      ran(2, 1, round % 15 === 0);
    }
    clock.advance(5000);
    ran(1, 1);
    expect(told).toEqual(['0 success-rate 2000']);

    const even = setUp(3);
    for (let round = 0; round < 90; round++) even.ran(round % 3, 1, round % 2 === 0);
    even.clock.advance(5000);
    even.ran(1, 1);
    expect(even.told).toEqual([]);
  });

  it('ejects what is much slower than the others', () => {
    const { clock, told, ran } = setUp(2);
    ran(0, 20, false, 10);
    ran(1, 20, false, 50);
    clock.advance(5000);
    ran(0, 1, false, 10);
    expect(told).toEqual(['1 latency 2000']);
  });

  it('ejects no more than a share of them, and never the last', () => {
    const { outliers, ran } = setUp(4);
    for (const member of [0, 1, 2, 3]) ran(member, 5, true);
    expect([0, 1, 2, 3].filter(outliers.isEjected)).toEqual([0, 1]);
    const all = setUp(2, { maxShare: 1 });
    for (const member of [0, 1]) all.ran(member, 5, true);
    expect([0, 1].filter(all.outliers.isEjected)).toEqual([0]);
  });
});
