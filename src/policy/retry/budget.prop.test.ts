import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createRetryBudget } from './budget.ts';

const step = fc.oneof(
  { weight: 5, arbitrary: fc.constant('request' as const) },
  { weight: 5, arbitrary: fc.constant('retry' as const) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }) },
);

describe('a retry budget', () => {
  it('never grants more than its share of the requests and a few a second', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 1000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 5 }),
        (steps, share, minPerSecond) => {
          const clock = createFakeClock();
          const budget = createRetryBudget(clock, { share, minPerSecond });
          let requests = 0;
          let retries = 0;
          for (const one of steps) {
            if (one === 'request') {
              requests += 1;
              budget.request();
            } else if (one === 'retry') retries += budget.take() ? 1 : 0;
            else clock.advance(one);
            const most = share * requests + minPerSecond * (clock.wallMs() / 1000 + 1);
            expect(retries).toBeLessThanOrEqual(most + 1e-6);
          }
        },
      ),
    );
  });

  it('keeps retries at a fifth of the requests, where all of them are to be tried again', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget(clock, { minPerSecond: 0 });
    let granted = 0;
    for (let request = 0; request < 1000; request++) {
      budget.request();
      if (budget.take()) granted += 1;
    }
    expect(granted).toBeGreaterThan(190);
    expect(granted).toBeLessThanOrEqual(200);
  });

  it('shrinks with the share of tries that fail, and grows back', () => {
    const clock = createFakeClock();
    const budget = createRetryBudget(clock, { minPerSecond: 0 });
    const grantedOf = (requests: number, hasFailed: boolean) => {
      let granted = 0;
      for (let request = 0; request < requests; request++) {
        budget.request();
        budget.ended(hasFailed);
        if (budget.take()) granted += 1;
      }
      return granted;
    };
    grantedOf(500, true);
    expect(grantedOf(500, true)).toBe(0);
    grantedOf(500, false);
    expect(grantedOf(500, false)).toBeGreaterThan(95);
  });
});
