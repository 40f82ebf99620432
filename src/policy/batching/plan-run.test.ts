import { describe, expect, it } from 'vitest';
import { createContext } from '../../model/context.ts';
import { createCaution } from './caution.ts';
import { rowRequest } from './fake-backend.ts';
import { createFakeCosts } from './fake-costs.ts';
import { createLanes } from './lanes.ts';
import { planRun } from './plan-run.ts';
import { createPressure, type Pressure } from './pressure.ts';
import { createQueue } from './queue.ts';
import type { Lane, Ticket } from './ticket.ts';

const MS = 1e6;
/** 10 ms a run and 1 ms a row. */
const costs = { ...createFakeCosts({ fixedNs: 10 * MS, perRowNs: MS }), introduce() {} };

describe('planRun', () => {
  it('runs all that wait where their deadlines are far', () => {
    const lane = laneOf([500, 510, 520]);
    expect(plan(lane)).toEqual({ rows: 64, givenUp: [] });
    expect(plan(lane, { most: 2 })).toEqual({ rows: 2, givenUp: [] });
  });

  it('makes the run smaller for a near deadline where nobody is late for it', () => {
    // All five take 15 ms; one alone 11, and then the other four 14.
    const lane = laneOf([12, 60, 60, 60, 60]);
    expect(plan(lane)).toEqual({ rows: 2, givenUp: [] });
  });

  it('gives up the first where a smaller run would make more late', () => {
    // One alone takes 11 ms, and the other five 15 after it: they would all be late.
    const lane = laneOf([11, 20, 20, 20, 20, 20]);
    const { rows, givenUp } = plan(lane);
    expect(rows).toBe(0);
    expect(givenUp.map(({ deadlineAtNs }) => deadlineAtNs)).toEqual([11 * MS]);
  });

  it('gives up the first where requests are refused for the time that a smaller run wastes', () => {
    const deadlines = [11, ...Array(30).fill(100)];
    expect(plan(laneOf(deadlines))).toEqual({ rows: 1, givenUp: [] });
    const { givenUp } = plan(laneOf(deadlines), { pressure: highPressure() });
    expect(givenUp).toHaveLength(1);
  });

  it('never gives up a more urgent one for others', () => {
    const lane = laneOf([11, 20, 20, 20, 20, 20], [1, 2, 2, 2, 2, 2]);
    expect(plan(lane)).toEqual({ rows: 1, givenUp: [] });
  });

  it('says that whoever is first cannot be in time', () => {
    const lane = laneOf([5, 500]);
    lane.lastRunAtNs = 0;
    expect(plan(lane)).toEqual({ rows: 0, givenUp: [] });
  });

  it('never plans a run for nobody', () => {
    const lane = laneOf(Array(20).fill(12));
    for (let left = 20; left > 0; left = lane.waiting.size) {
      const { rows, givenUp } = plan(lane, { pressure: highPressure() });
      expect(rows > 0 || (givenUp.length > 0 && givenUp.length < left)).toBe(true);
      if (rows > 0) break;
      for (const ticket of givenUp) lane.waiting.remove(ticket);
      lane.rows = lane.waiting.size;
    }
    expect(lane.waiting.size).toBeGreaterThan(0);
  });
});

function plan(
  lane: Lane,
  { most = 64, pressure = createPressure() }: { readonly most?: number; readonly pressure?: Pressure } = {},
) {
  return planRun(
    lane,
    most,
    { costs, slots: 1, pressure, caution: createCaution(), rowsPerNs: 2 / MS, worthRows: 64 },
    0,
  );
}

function highPressure(): Pressure {
  const pressure = createPressure();
  for (let at = 0; at < 200; at++) {
    pressure.decided(at % 2 === 0);
  }
  return pressure;
}

/** Requests of one row that came at 0, with deadlines in milliseconds. */
function laneOf(deadlinesMs: readonly number[], levels: readonly number[] = []): Lane {
  const most = Math.max(1, ...levels);
  const queue = createQueue({ levels: most, objectiveNs: 100 * MS, queue: undefined, queueByPriority: {} });
  const lanes = createLanes(0, costs);
  deadlinesMs.forEach((ms, order) => {
    const request = rowRequest(order, 1);
    const level = levels[order] ?? 1;
    const deadlineAtNs = ms * MS;
    const ticket: Ticket = {
      ...{ request, context: createContext(), lane: lanes.find(request), rows: 1, joins: true },
      ...{ level, sinceNs: 0, deadlineAtNs, counts: true, key: queue.keyOf(level, 0, deadlineAtNs), order },
      ...{ place: -1, workNs: 0, bucket: 0, expiry: undefined, run: undefined, trial: undefined },
      ...{ isSettled: false, onCancel: undefined, resolve() {}, reject() {} },
    };
    queue.push(ticket, deadlineAtNs);
  });
  return lanes.find(rowRequest(0, 1));
}
