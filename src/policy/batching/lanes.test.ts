import { describe, expect, it } from 'vitest';
import { rowRequest } from './fake-backend.ts';
import { createFakeCosts } from './fake-costs.ts';
import { capRows, createLanes, lookUpMost, noteRun, rowsOf } from './lanes.ts';

const costs = createFakeCosts({ fixedNs: 10, perRowNs: 1 });

describe('createLanes', () => {
  it('gives requests that may be joined the same lane, and others another', () => {
    const lanes = createLanes(0, costs);
    const lane = lanes.find(rowRequest(1, 1));
    expect(lanes.find(rowRequest(2, 5))).toBe(lane);
    const others = [
      rowRequest(1, 1, { width: 3 }),
      rowRequest(1, 1, { outputs: ['sum'] }),
      rowRequest(1, 0),
      { ...rowRequest(1, 1), inputs: rowRequest(1, 1).inputs.toReversed() },
    ].map((request) => lanes.find(request));
    const shapes = new Set([lane, ...others].map(({ shape }) => shape));
    expect(shapes).toEqual(new Set([0, 1, 2, 3, 4]));
    expect(lanes.find(rowRequest(3, 2))).toBe(lane);
    // No outputs are all outputs.
    expect(lanes.find(rowRequest(3, 2, { outputs: [] }))).toBe(lane);
  });

  it('counts no rows where inputs disagree about them, or there is no batch axis', () => {
    const [x, ...rest] = rowRequest(1, 2).inputs;
    const uneven = {
      ...rowRequest(1, 3),
      inputs: [x!, ...rest.slice(0, 1), ...rowRequest(1, 3).inputs.slice(2)],
    };
    expect(rowsOf(uneven)).toBe(0);
    expect(createLanes(0, costs).find(uneven)).toMatchObject({ hasRows: false, joins: false });
    const none = createLanes('none', costs);
    expect(none.find(rowRequest(1, 2))).toMatchObject({ hasRows: false });
    expect(none.find(rowRequest(1, 3))).not.toBe(none.find(rowRequest(1, 2)));
  });

  it('says how large rows of a new class are', () => {
    const introduced: number[][] = [];
    const lanes = createLanes(0, { introduce: (...given) => void introduced.push(given) });
    for (const width of [2, 7, 2]) lanes.find(rowRequest(1, 3, { width }));
    expect(introduced).toEqual([
      [0, 4],
      [1, 9],
    ]);
  });

  it('remembers a bounded number of classes, and those in use in any case', () => {
    const lanes = createLanes(0, costs);
    const first = lanes.find(rowRequest(1, 1, { width: 1 }));
    first.waiting.push({ key: 0, order: 0, place: -1 } as never);
    for (let width = 2; width < 3000; width++)
      expect(lanes.find(rowRequest(1, 1, { width })).shape).toBeLessThan(1025);
    expect(lanes.find(rowRequest(1, 1, { width: 1 }))).toBe(first);
  });
});

describe('lookUpMost', () => {
  const lane = () => createLanes(0, costs).find(rowRequest(1, 1));

  it('is what is given, or what gains nothing more', () => {
    expect(lookUpMost(lane(), costs, { fixed: 16, most: 16 })).toBe(16);
    const flat = createFakeCosts({ fixedNs: 0, perRowNs: 1 });
    const auto = lane();
    noteRun(auto, 4);
    auto.lookUps = 1;
    expect(lookUpMost(auto, flat, { fixed: undefined, most: 256 })).toBe(1);
  });

  it('grows by steps, and tries beyond what was best so far', () => {
    const auto = lane();
    const limits = { fixed: undefined, most: 256 };
    const sizes: number[] = [];
    for (let run = 0; run < 6; run++) {
      sizes.push(lookUpMost(auto, costs, limits));
      noteRun(auto, auto.mostRows);
    }
    // Nearly all that were run so far are worth it each time, so that twice as many are tried.
    expect(sizes).toEqual([4, 8, 16, 32, 60, 106]);
  });

  it('starts with what is known already', () => {
    const known = { ...costs, knownRows: () => 64 };
    expect(lookUpMost(lane(), known, { fixed: undefined, most: 256 })).toBeGreaterThan(64);
    expect(lookUpMost(lane(), known, { fixed: undefined, most: 96 })).toBe(96);
  });

  it('stops where the last step gained nothing, but for a few runs now and then', () => {
    const flat = createFakeCosts({ fixedNs: 0, perRowNs: 1 });
    const auto = lane();
    noteRun(auto, 32);
    const sizes: number[] = [];
    for (let run = 0; run < 320; run++) {
      sizes.push(lookUpMost(auto, flat, { fixed: undefined, most: 256 }));
      noteRun(auto, 1);
    }
    const tries = sizes.filter((size) => size === 2).length;
    expect(new Set(sizes)).toEqual(new Set([1, 2]));
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(40);
  });

  it('halves what was too much, and comes back to it much later', () => {
    const capped = lane();
    const limits = { fixed: 64, most: 64 };
    capRows(capped, 64);
    expect(lookUpMost(capped, costs, limits)).toBe(32);
    for (let run = 0; run < 3000; run++) {
      noteRun(capped, 1);
      lookUpMost(capped, costs, limits);
    }
    expect(capped.mostRows).toBe(64);
  });
});
