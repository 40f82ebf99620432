import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWorkAhead } from './work-ahead.ts';

const WIDTH = 10;
const step = fc.record({
  isLeaving: fc.boolean(),
  afterNs: fc.integer({ min: 0, max: 60 }),
  aheadNs: fc.integer({ min: -50, max: 6000 }),
  workNs: fc.integer({ min: 1, max: 5 }),
  which: fc.nat(),
});

describe('createWorkAhead', () => {
  it('gives what stands before a key, and never less', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const work = createWorkAhead(WIDTH);
        const waiting: { key: number; bucket: number; workNs: number }[] = [];
        let nowNs = 0;
        for (const { isLeaving, afterNs, aheadNs, workNs, which } of steps) {
          nowNs += afterNs;
          work.passed(nowNs);
          if (isLeaving && waiting.length > 0) {
            const [left] = waiting.splice(which % waiting.length, 1);
            work.remove(left!.bucket, left!.workNs);
          } else {
            const key = nowNs + aheadNs;
            waiting.push({ key, workNs, bucket: work.add(key, workNs) });
          }
          const key = nowNs + (which % 3000);
          const sum = (upTo: number) =>
            waiting.reduce((all, each) => all + (each.key <= upTo ? each.workNs : 0), 0);
          expect(work.before(key)).toBeGreaterThanOrEqual(sum(key) - 1e-9);
          // Where the ring reaches, no more than a bucket's width too much; those further ahead count when they are reached.
          const reached = waiting.every(
            (each) => each.key < nowNs + 200 * WIDTH && each.bucket * WIDTH <= each.key,
          );
          if (reached) expect(work.before(key)).toBeLessThanOrEqual(sum(Math.max(key, nowNs) + WIDTH) + 1e-9);
        }
        for (const { bucket, workNs } of waiting) work.remove(bucket, workNs);
        expect(work.before(Number.POSITIVE_INFINITY)).toBe(0);
      }),
    );
  });
});
