import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBufferPool } from './buffer-pool.ts';
import { createFakeClock } from './fake-clock.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

describe('createBufferPool', () => {
  it('gives room for what is asked, and a fifth of it or less too much', () => {
    const pool = createBufferPool({ clock: createFakeClock() });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 * MIB }), (size) => {
        const { byteLength } = pool.take(size);
        expect(byteLength).toBeGreaterThanOrEqual(size);
        expect(byteLength * 0.8).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('gives again what it got back, to one at a time', () => {
    const pool = createBufferPool({ clock: createFakeClock() });
    const first = pool.take(600_000);
    pool.give(first);
    const again = pool.take(590_000);
    expect(again).toBe(first);
    expect(pool.take(590_000)).not.toBe(again);
    expect(pool.keptBytes).toBe(0);
  });

  it('never has one buffer in two hands, and counts what it keeps', () => {
    const pool = createBufferPool({ clock: createFakeClock(), maxKeptBytes: 2 * MIB });
    const taken = new Set<ArrayBuffer>();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MIB }), fc.boolean(), fc.nat(), (size, gives, at) => {
        const known = [...taken][at % Math.max(1, taken.size)];
        if (gives && known !== undefined) {
          taken.delete(known);
          pool.give(known);
        } else {
          const buffer = pool.take(size);
          expect(taken.has(buffer)).toBe(false);
          taken.add(buffer);
        }
        expect(pool.keptBytes).toBeLessThanOrEqual(2 * MIB);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps no small buffers, none beyond its bound, and none that were transferred', () => {
    const pool = createBufferPool({ clock: createFakeClock(), maxKeptBytes: MIB });
    pool.give(pool.take(10 * KIB));
    expect(pool.keptBytes).toBe(0);
    const gone = pool.take(MIB / 2);
    structuredClone(gone, { transfer: [gone] });
    pool.give(gone);
    expect(pool.keptBytes).toBe(0);
    const three = [1, 2, 3].map(() => pool.take(MIB / 2));
    for (const buffer of three) pool.give(buffer);
    expect(pool.keptBytes).toBe(MIB);
  });

  it('lets go of what is not needed, keeps what is, and then waits for nothing', () => {
    const clock = createFakeClock();
    const pool = createBufferPool({ clock, idleMs: 100 });
    const many = [1, 2, 3, 4].map(() => pool.take(MIB));
    for (const buffer of many) pool.give(buffer);
    // Within each look, one of the four is in use.
    for (let i = 0; i < 3; i += 1) {
      const one = pool.take(MIB);
      clock.advance(100);
      pool.give(one);
    }
    expect(pool.keptBytes).toBe(MIB);
    clock.advance(200);
    expect([pool.keptBytes, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('says where there is no memory', () => {
    const pool = createBufferPool({ clock: createFakeClock() });
    expect(() => pool.take(2 ** 52)).toThrow(RangeError);
  });

  it('forgets all when told to', () => {
    const clock = createFakeClock();
    const pool = createBufferPool({ clock });
    pool.give(pool.take(MIB));
    pool.clear();
    expect([pool.keptBytes, clock.pendingTimers]).toEqual([0, 0]);
  });
});
