import { describe, expect, it } from 'vitest';
import { createCaution } from './caution.ts';

describe('createCaution', () => {
  it('grows with those who were let in and given up, and goes with those who were not', () => {
    const caution = createCaution();
    caution.gaveUp();
    const { level, spare } = caution;
    expect(level).toBeGreaterThan(0);
    expect(spare).toBeLessThan(level);
    caution.kept(100);
    expect(caution.level).toBeLessThan(level);
    caution.kept(1_000_000);
    expect(caution.level).toBe(0);
    for (let at = 0; at < 1000; at++) caution.gaveUp();
    expect(caution).toMatchObject({ level: 1, spare: 0.05 });
  });

  it('comes to rest where three of a thousand are given up', () => {
    const caution = createCaution();
    for (let at = 0; at < 20; at++) caution.gaveUp();
    const before = caution.level;
    for (let at = 0; at < 50; at++) {
      caution.gaveUp();
      caution.kept(332);
    }
    expect(caution.level).toBeCloseTo(before, 2);
  });
});
