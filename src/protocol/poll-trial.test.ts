import { beforeEach, describe, expect, it } from 'vitest';
import { createPollTrial, type PollTrial } from './poll-trial.ts';

const SECOND_NS = 1e9;

let trial: PollTrial;
let nowNs: number;

beforeEach(() => {
  trial = createPollTrial();
  nowNs = 0;
});

interface Gaps {
  readonly polled: number;
  readonly slept: number;
}

const PAYS: Gaps = { polled: 25_000, slept: 80_000 };
const PAYS_NOT: Gaps = { polled: 75_000, slept: 80_000 };

/** Answers as fast as a client in a closed loop asks; how many of them were to be polled after. */
function answer(requests: number, { polled, slept }: Gaps): number {
  let toPoll = 0;
  for (let i = 0; i < requests; i += 1) {
    const gapNs = trial.shouldPoll ? polled : slept;
    if (trial.shouldPoll) toPoll += 1;
    nowNs += gapNs + 20_000;
    trial.answered(gapNs, nowNs, true);
  }
  return toPoll;
}

/** Until the first comparison is done: a run of near requests, then eight blocks. */
const COMPARED = 32 + 8 * 32;

describe('createPollTrial', () => {
  it('polls where that takes less time', () => {
    expect(answer(COMPARED, PAYS)).toBe(4 * 32);
    expect(trial.shouldPoll).toBe(true);
    expect(trial.timeRatio).toBeCloseTo(0.45);
  });

  it('does not poll where that takes hardly less', () => {
    answer(COMPARED, PAYS_NOT);
    expect(trial.shouldPoll).toBe(false);
    expect(trial.timeRatio).toBeCloseTo(0.95);
  });

  it('compares by turns, so that a load that grows lighter meanwhile gains neither', () => {
    for (let i = 0; i < COMPARED; i += 1) {
      nowNs += 200_000 - 300 * i;
      trial.answered(50_000, nowNs, true);
    }
    expect(trial.timeRatio).toBeCloseTo(1, 5);
  });

  it('is not misled by a pause of the machine in one block', () => {
    answer(100, PAYS);
    nowNs += 5e6;
    answer(COMPARED - 100, PAYS);
    expect(trial.timeRatio).toBeCloseTo(0.45);
  });

  it('compares again while it polls, and stops where it pays no more', () => {
    answer(COMPARED, PAYS);
    const untilNs = nowNs + 2.2 * SECOND_NS;
    while (nowNs < untilNs) answer(1, PAYS);
    expect(trial.shouldPoll).toBe(true);
    while (nowNs < untilNs + 2.2 * SECOND_NS) answer(1, PAYS_NOT);
    expect(trial.shouldPoll).toBe(false);
  });

  it('compares ever more rarely where it does not pay', () => {
    const polled: number[] = [];
    for (let second = 0; second < 64; second += 1) {
      let count = 0;
      while (nowNs < (second + 1) * SECOND_NS) count += answer(1, PAYS_NOT);
      if (count > 0) polled.push(second);
    }
    expect(polled).toEqual([0, 1, 3, 7, 15, 31, 47, 63]);
  });

  it('takes up polling after that within a second of a comparison that says so', () => {
    answer(COMPARED, PAYS_NOT);
    while (nowNs < 1.2 * SECOND_NS) answer(1, PAYS);
    expect(trial.shouldPoll).toBe(true);
  });

  it('does not try with clients that pause', () => {
    expect(answer(10_000, { polled: 300_000, slept: 300_000 })).toBe(0);
    for (let i = 0; i < 1000; i += 1) {
      expect(answer(20, PAYS)).toBe(0);
      expect(answer(1, { polled: 1e6, slept: 1e6 })).toBe(0);
    }
  });

  it('leaves a comparison in which the client pauses, and polls as it did before', () => {
    answer(100, PAYS);
    expect(answer(1, { polled: 50e6, slept: 50e6 })).toBeLessThanOrEqual(1);
    expect(trial.shouldPoll).toBe(false);
    expect(trial.timeRatio).toBe(1);
    while (nowNs < 1.2 * SECOND_NS) answer(1, PAYS);
    expect(trial.shouldPoll).toBe(true);
  });
});
