import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leastLoaded } from './balance.ts';

describe('leastLoaded', () => {
  it('keeps processes level as long as connections only come, and never gives to a fuller one', () => {
    const steps = fc.array(fc.option(fc.nat()), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), steps, (count, events) => {
        const all = Array.from({ length: count }, () => ({ openConnections: 0, lastGiven: 0 }));
        let given = 0;
        for (const event of events) {
          const closing = event === null ? undefined : all[event % count];
          if (closing !== undefined) closing.openConnections = Math.max(0, closing.openConnections - 1);
          const fewest = Math.min(...all.map(({ openConnections }) => openConnections));
          const taker = leastLoaded(all)!;
          expect(taker.openConnections).toBe(fewest);
          given += 1;
          taker.openConnections += 1;
          taker.lastGiven = given;
          if (events.every((each) => each === null)) {
            const open = all.map(({ openConnections }) => openConnections);
            expect(Math.max(...open) - Math.min(...open)).toBeLessThanOrEqual(1);
          }
        }
      }),
    );
  });

  it('takes turns where connections close before the next comes', () => {
    const all = [0, 1, 2].map((index) => ({ index, openConnections: 0, lastGiven: 0 }));
    const taken = [1, 2, 3, 4, 5, 6].map((lastGiven) => {
      const taker = leastLoaded(all)!;
      taker.lastGiven = lastGiven;
      return taker.index;
    });
    expect(taken).toEqual([0, 1, 2, 0, 1, 2]);
    expect(leastLoaded([])).toBeUndefined();
  });
});
