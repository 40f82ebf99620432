import { beforeEach, describe, expect, it } from 'vitest';
import { createGatherTrial, type GatherTrial } from './gather-trial.ts';

let trial: GatherTrial;
let cpuNs: number;
let nowNs: number;

beforeEach(() => {
  cpuNs = 0;
  nowNs = 0;
  trial = createGatherTrial({ cpuNs: () => cpuNs, nowNs: () => nowNs });
});

/** Requests that take so much CPU time each; how many of them were to be gathered. */
function arrive(requests: number, { gathered, alone }: { gathered: number; alone: number }): number {
  let toGather = 0;
  for (let at = 0; at < requests; at++) {
    const isGathered = trial.shouldGather === true;
    if (isGathered) toGather += 1;
    cpuNs += isGathered ? gathered : alone;
    nowNs += 40_000;
    trial.arrived(true);
  }
  return toGather;
}

/** Until the first comparison: a quarter of a second; and it. */
const BEFORE = Math.ceil((0.25e9 / 40_000 + 1) / 64) * 64 + 1;
const COMPARED = BEFORE + 16 * 256;
const PAYS = { gathered: 30_000, alone: 40_000 };
const PAYS_NOT = { gathered: 40_000, alone: 30_000 };

describe('createGatherTrial', () => {
  it('says nothing before it has compared', () => {
    expect(trial.shouldGather).toBeUndefined();
  });

  it('gathers where that takes less CPU time', () => {
    expect(arrive(COMPARED, PAYS)).toBe(8 * 256);
    expect(trial.shouldGather).toBe(true);
  });

  it('does not where it takes more', () => {
    arrive(COMPARED, PAYS_NOT);
    expect(trial.shouldGather).toBe(false);
  });

  it('compares again, less and less often while it says the same, and finds out what changed', () => {
    arrive(COMPARED, PAYS);
    const requests = 400_000;
    // 16 s in all: comparisons after 0.25, 0.5, 1, 2, 4 and 8 s leave a request alone in every second block.
    const alone = requests - arrive(requests, PAYS);
    expect(alone).toBe(5 * 8 * 256);
    arrive(900_000, PAYS_NOT);
    expect(trial.shouldGather).toBe(false);
  });

  it('keeps to what it does where the ways differ by less than can be told', () => {
    arrive(COMPARED, PAYS);
    arrive(11_000, { gathered: 40_000, alone: 39_500 });
    expect(trial.shouldGather).toBe(true);
  });

  it('ends a comparison where turns bring no more than one', () => {
    arrive(COMPARED, PAYS_NOT);
    arrive(7000, PAYS_NOT);
    arrive(300, PAYS_NOT);
    for (let at = 0; at < 10; at++) trial.arrived(false);
    expect(trial.shouldGather).toBe(false);
  });
});
