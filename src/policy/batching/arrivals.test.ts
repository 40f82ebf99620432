import { describe, expect, it } from 'vitest';
import { createSeededRandom } from '../../base/util/seeded-random.ts';
import { createArrivals } from './arrivals.ts';

const MS = 1e6;

/** Arrivals with these gaps, the last of them just now. */
function stream(gapsNs: Iterable<number>) {
  const arrivals = createArrivals();
  let nowNs = 0;
  arrivals.observe(nowNs, 1);
  for (const gapNs of gapsNs) {
    nowNs += gapNs;
    arrivals.observe(nowNs, 1);
  }
  return { arrivals, nowNs, gapIn: (waitedNs: number) => arrivals.gapNs(nowNs + waitedNs) };
}

function* drawn(times: number, draw: (random: () => number) => number, seed = 1): Generator<number> {
  const random = createSeededRandom(seed);
  for (let at = 0; at < times; at++) yield draw(random);
}

const poisson = (random: () => number) => -Math.log(1 - random()) * MS;
/** Three of four within 10 µs, the fourth a pause. */
const bursts = (random: () => number) => (random() < 0.75 ? 10e3 * random() : 4 * MS * (0.5 + random()));

describe('createArrivals', () => {
  it('expects nothing before two rows came', () => {
    const arrivals = createArrivals();
    expect(arrivals.gapNs(5)).toBe(Number.POSITIVE_INFINITY);
    arrivals.observe(10, 1);
    expect(arrivals.gapNs(20)).toBe(Number.POSITIVE_INFINITY);
    expect(arrivals.rowsPerNs()).toBe(0);
    arrivals.observe(MS, 0);
    expect(arrivals.gapNs(MS)).toBe(Number.POSITIVE_INFINITY);
  });

  it('expects the mean gap where rows come at random, however long it has been', () => {
    let sum = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { gapIn, arrivals } = stream(drawn(300, poisson, seed));
      for (const waitedNs of [0, 0.1 * MS, MS]) {
        expect(gapIn(waitedNs)).toBeGreaterThan(0.3 * MS);
        expect(gapIn(waitedNs)).toBeLessThan(2 * MS);
      }
      sum += gapIn(0) / MS;
      expect(arrivals.rowsPerNs() * MS).toBeGreaterThan(0.7);
      expect(arrivals.rowsPerNs() * MS).toBeLessThan(1.4);
    }
    expect(sum / 20).toBeGreaterThan(0.6);
    expect(sum / 20).toBeLessThan(1.2);
  });

  it('expects more within a burst, and little after it', () => {
    const { gapIn } = stream([...drawn(400, bursts), 4 * MS, 5e3, 5e3]);
    expect(gapIn(0)).toBeLessThan(0.4 * MS);
    expect(gapIn(0.3 * MS)).toBeGreaterThan(0.7 * MS);
  });

  it('expects the next of a regular stream when it is due', () => {
    const { gapIn } = stream(Array<number>(200).fill(MS));
    expect(gapIn(0.5 * MS)).toBeLessThan(0.7 * MS);
    expect(gapIn(0.5 * MS)).toBeGreaterThan(0.2 * MS);
    expect(gapIn(0.1 * MS)).toBeGreaterThan(gapIn(0.5 * MS));
  });

  it('expects less the longer a pause lasts, and does not go back to what was before it', () => {
    const { arrivals, nowNs, gapIn } = stream(drawn(300, poisson));
    expect(gapIn(1000 * MS)).toBeGreaterThan(20 * MS);
    let atNs = nowNs;
    for (let at = 0; at < 12; at++) {
      atNs += 1000 * MS;
      arrivals.observe(atNs, 1);
    }
    expect(arrivals.gapNs(atNs)).toBeGreaterThan(200 * MS);
    expect(arrivals.rowsPerNs() * 1000 * MS).toBeLessThan(200);
  });

  it('takes up a faster stream within some dozens of rows', () => {
    const { gapIn } = stream([...drawn(300, poisson), ...drawn(100, (random) => poisson(random) / 100)]);
    expect(gapIn(0)).toBeLessThan(0.05 * MS);
  });

  it('counts rows for the rate, and goes on after very many', () => {
    const arrivals = createArrivals();
    for (let at = 0; at < 50_000; at++) arrivals.observe(at * MS, 4);
    expect(arrivals.rowsPerNs() * MS).toBeCloseTo(4, 1);
    expect(arrivals.gapNs(50_000 * MS)).toBeLessThan(2 * MS);
  });

  it('stands a clock that does not move, and one that jumps', () => {
    const arrivals = createArrivals();
    for (let at = 0; at < 100; at++) arrivals.observe(7, 1);
    expect(arrivals.gapNs(7)).toBeGreaterThanOrEqual(0);
    arrivals.observe(1e18, 1);
    arrivals.observe(1e18 + MS, 1);
    expect(arrivals.gapNs(1e18 + MS)).toBeGreaterThan(0);
  });
});

describe('closed loops', () => {
  /** Rounds of so many clients that ask 0.1 ms after their answer, each run taking 2 ms. */
  function rounds(clients: number, times = 50) {
    const arrivals = createArrivals();
    let nowNs = 0;
    for (let round = 0; round < times; round++) {
      for (let client = 0; client < clients; client++) arrivals.observe(nowNs + client * 1000, 1);
      nowNs += 2 * MS;
      arrivals.answered(nowNs, clients);
      nowNs += 0.1 * MS;
    }
    return { arrivals, answersNs: nowNs - 0.1 * MS };
  }

  it('expects back those who were answered, and nobody else', () => {
    const { arrivals, answersNs } = rounds(8);
    expect(arrivals.echoNs(answersNs)).toBeGreaterThan(0.08 * MS);
    expect(arrivals.echoNs(answersNs)).toBeLessThan(0.2 * MS);
    expect(arrivals.echoNs(answersNs + 0.05 * MS)).toBe(arrivals.echoNs(answersNs) - 0.05 * MS);
    expect(arrivals.gapNs(answersNs)).toBe(Number.POSITIVE_INFINITY);
    for (let client = 0; client < 8; client++) arrivals.observe(answersNs + 0.1 * MS, 1);
    expect(arrivals.echoNs(answersNs + 0.1 * MS)).toBe(0);
  });

  it('waits no more for one who left', () => {
    const { arrivals, answersNs } = rounds(8);
    let nowNs = answersNs;
    for (let round = 0; round < 5; round++) {
      for (let client = 0; client < 7; client++) arrivals.observe(nowNs + 0.1 * MS, 1);
      nowNs += 2 * MS;
      arrivals.answered(nowNs, 7);
    }
    for (let client = 0; client < 7; client++) arrivals.observe(nowNs + 0.1 * MS, 1);
    expect(arrivals.echoNs(nowNs + 0.1 * MS)).toBe(0);
  });

  it('are not heard where rows come at random', () => {
    let heard = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const random = createSeededRandom(seed);
      const arrivals = createArrivals();
      let nowNs = 0;
      for (let run = 0; run < 200; run++) {
        const untilNs = nowNs + 2 * MS;
        let rows = 0;
        for (nowNs += poisson(random) / 4; nowNs < untilNs; nowNs += poisson(random) / 4, rows++)
          arrivals.observe(nowNs, 1);
        nowNs = untilNs;
        arrivals.answered(nowNs, Math.max(1, rows));
        if (run > 50 && arrivals.echoNs(nowNs) > 0) heard++;
      }
    }
    expect(heard).toBeLessThan(20);
  });

  it('forgets a long pause soon, for how much comes while something comes', () => {
    const pauseNs = 60e9;
    const { arrivals } = stream([...Array<number>(500).fill(MS), pauseNs, ...Array<number>(20).fill(MS)]);
    expect(arrivals.rowsPerNs() * MS).toBeGreaterThan(0.75);
    expect(arrivals.rowsPerNs() * MS).toBeLessThanOrEqual(1);
  });
});
