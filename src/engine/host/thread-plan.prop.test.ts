import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planThreads } from './thread-plan.ts';

const GIB = 2 ** 30;
const machine = { cores: 8, memoryBytes: 16 * GIB };

describe('planThreads', () => {
  it('gives every core a session with one thread', () => {
    expect(planThreads(machine, { modelBytes: 1e6 })).toEqual({ instances: 8, intraOpThreads: 1 });
  });

  it('gives few sessions more threads where the weights are large', () => {
    expect(planThreads(machine, { modelBytes: 2 * GIB })).toEqual({ instances: 2, intraOpThreads: 4 });
    expect(planThreads(machine, { modelBytes: 100 * GIB })).toEqual({ instances: 1, intraOpThreads: 8 });
  });

  it('gives the rest to the number that was not wished for', () => {
    expect(planThreads(machine, { modelBytes: 1, instances: 2 })).toEqual({
      instances: 2,
      intraOpThreads: 4,
    });
    expect(planThreads(machine, { modelBytes: 1, intraOpThreads: 3 })).toEqual({
      instances: 2,
      intraOpThreads: 3,
    });
  });

  it('says where a wish exceeds the cores', () => {
    expect(planThreads(machine, { modelBytes: 1, instances: 4, intraOpThreads: 4 })).toEqual({
      instances: 2,
      intraOpThreads: 4,
      note: '4 instances of 4 threads were asked for; 8 cores allow 2 of 4',
    });
  });

  it('never exceeds the cores, and never gives nothing', () => {
    const wish = fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        wish,
        wish,
        fc.double({ min: 1, max: 1e12, noNaN: true }),
        (cores, instances, intraOpThreads, modelBytes) => {
          const plan = planThreads(
            { cores, memoryBytes: 4 * GIB },
            { modelBytes, ...(instances && { instances }), ...(intraOpThreads && { intraOpThreads }) },
          );
          expect(plan.instances).toBeGreaterThanOrEqual(1);
          expect(plan.intraOpThreads).toBeGreaterThanOrEqual(1);
          expect(plan.instances * plan.intraOpThreads).toBeLessThanOrEqual(cores);
        },
      ),
    );
  });
});
