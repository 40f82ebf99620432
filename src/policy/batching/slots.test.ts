import { describe, expect, it } from 'vitest';
import { createSlots } from './slots.ts';

describe('createSlots', () => {
  it('gives each slot once', () => {
    const slots = createSlots(2);
    expect([slots.take(0, 10), slots.take(0, 10)].sort()).toEqual([0, 1]);
    expect(slots.free).toBe(0);
    slots.release(1);
    expect(slots.take(0, 10)).toBe(1);
  });

  it('tells when work ahead is under way and a slot is free again', () => {
    const slots = createSlots(2);
    slots.take(0, 100);
    slots.take(0, 40);
    expect(slots.waitNs(10, 0)).toBe(30);
    // 20 on the slot that is free after 30; then both share what is left.
    expect(slots.waitNs(10, 20)).toBe(50);
    expect(slots.waitNs(10, 80)).toBe(100);
  });

  it('gives a run that is over its time as much again, but not more than its time once more', () => {
    const slots = createSlots(1);
    slots.take(0, 40);
    expect([30, 40, 50, 80, 1000].map((nowNs) => slots.waitNs(nowNs, 0))).toEqual([10, 0, 10, 40, 40]);
  });

  it('tells when another slot is free', () => {
    const slots = createSlots(2);
    expect(slots.nextFreeNs(0)).toBe(0);
    slots.take(0, 40);
    expect(slots.nextFreeNs(10)).toBe(30);
    expect(createSlots(1).nextFreeNs(0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('reckons with no time for a run of which nothing is known', () => {
    const slots = createSlots(1);
    slots.take(0, Number.POSITIVE_INFINITY);
    expect(slots.waitNs(5, 0)).toBe(0);
  });
});
