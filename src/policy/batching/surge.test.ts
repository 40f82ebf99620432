import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createSurge } from './surge.ts';

const MS = 1e6;
const MEAN = 1 / MS;

const exponential = (random: () => number) => -Math.log(1 - random());

/** What it said after each run of 10 ms, with gaps of these rates in the meantime. */
function said(rateAt: (nowNs: number) => number, seed = 1, forNs = 4000 * MS) {
  const random = createSeededRandom(seed);
  const surge = createSurge();
  const rates: { readonly nowNs: number; readonly rate: number }[] = [];
  let lookNs = 10 * MS;
  for (let nowNs = 0; nowNs < forNs; ) {
    const gapNs = exponential(random) / rateAt(nowNs);
    nowNs += gapNs;
    for (; lookNs < nowNs; lookNs += 10 * MS)
      rates.push({ nowNs: lookNs, rate: surge.rowsPerNs(lookNs, MEAN) });
    surge.arrived(gapNs, 1 + gapNs * MEAN, 1);
  }
  return rates;
}

describe('createSurge', () => {
  it('says nothing before anything came', () => {
    expect(createSurge().rowsPerNs(5, 0)).toBe(0);
    expect(createSurge().rowsPerNs(5, MEAN)).toBe(MEAN);
  });

  it('keeps to the rate on the whole where rows come independently', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const rates = said(() => MEAN, seed);
      const off = rates.filter(({ rate }) => rate !== MEAN).length;
      expect(off / rates.length).toBeLessThan(0.2);
    }
  });

  it('takes up surges that last, once it has seen that they do, and lets them go', () => {
    // A tenth of the time ten times as much comes as else.
    const isSurge = (nowNs: number) => nowNs % (1000 * MS) < 100 * MS;
    const rates = said((nowNs) => (isSurge(nowNs) ? 5.3 : 0.53) / MS).filter(
      ({ nowNs }) => nowNs > 1000 * MS,
    );
    const within = rates.filter(({ nowNs }) => isSurge(nowNs - 30 * MS) && isSurge(nowNs));
    const after = rates.filter(({ nowNs }) => nowNs % (1000 * MS) > 400 * MS);
    const share = (some: typeof rates) => some.filter(({ rate }) => rate > 2.5 * MEAN).length / some.length;
    expect(share(within)).toBeGreaterThan(0.8);
    expect(share(after)).toBeLessThan(0.05);
  });

  it('learns nothing of looks at the same moment, nor of a clock that goes back', () => {
    const surge = createSurge();
    surge.arrived(MS, 2, 1);
    for (const nowNs of [5, 5, 3, 5]) expect(surge.rowsPerNs(nowNs, MEAN)).toBe(MEAN);
  });
});
