import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCountWindow, createTimeWindow, FAULT, SLOW } from './window.ts';

const outcomes = fc.array(fc.constantFrom(0, FAULT, SLOW, FAULT | SLOW), { maxLength: 300 });

describe('a window of calls', () => {
  it('counts what the last of them came to', () => {
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 1, max: 40 }), (all, size) => {
        const window = createCountWindow(size);
        for (const outcome of all) window.note(outcome);
        const last = all.slice(-size);
        expect(window.calls).toBe(last.length);
        expect(window.faults).toBe(last.filter((outcome) => outcome & FAULT).length);
        expect(window.slow).toBe(last.filter((outcome) => outcome & SLOW).length);
      }),
    );
  });

  it('begins anew where it is cleared', () => {
    const window = createCountWindow(4);
    for (const outcome of [FAULT, FAULT, 0, SLOW, FAULT]) window.note(outcome);
    window.clear();
    window.note(FAULT);
    expect([window.calls, window.faults, window.slow]).toEqual([1, 1, 0]);
  });
});

describe('a window of time', () => {
  it('counts what came within it, to a tenth', () => {
    const steps = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 2500 }), outcome: fc.constantFrom(0, FAULT, SLOW) }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        let nowNs = 0;
        const window = createTimeWindow(() => nowNs, 1000);
        const noted: { readonly atNs: number; readonly outcome: number }[] = [];
        for (const { afterMs, outcome } of all) {
          nowNs += afterMs * 1e6;
          window.note(outcome);
          noted.push({ atNs: nowNs, outcome });
        }
        const within = (ms: number) => noted.filter(({ atNs }) => nowNs - atNs < ms * 1e6);
        const faults = (some: typeof noted) => some.filter(({ outcome }) => outcome === FAULT).length;
        expect(window.calls).toBeGreaterThanOrEqual(within(900).length);
        expect(window.calls).toBeLessThanOrEqual(within(1000).length);
        expect(window.faults).toBeGreaterThanOrEqual(faults(within(900)));
        expect(window.faults).toBeLessThanOrEqual(faults(within(1000)));
      }),
    );
  });
});
