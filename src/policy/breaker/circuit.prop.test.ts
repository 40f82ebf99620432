import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createCircuit } from './circuit.ts';
import { FAULT, GOOD } from './window.ts';

const step = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ kind: 'begin' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(),
      outcome: fc.constantFrom(GOOD, FAULT, FAULT, undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 3000 }) }),
  },
);

describe('a circuit', () => {
  it('lets no more than its probes through while it is half open, and none while it is open', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 400 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        (steps, probes, minCalls) => {
          const clock = createFakeClock();
          const circuit = createCircuit(clock, { probes, minCalls, calls: 20 });
          const running: number[] = [];
          let openUntilMs = 0;
          let answered = 0;
          circuit.onChange((state, { retryAfterMs }) => {
            if (state === 'half-open') answered = 0;
            if (state === 'open') openUntilMs = clock.wallMs() + retryAfterMs;
          });
          const probing = () => running.filter((permit) => permit === running.at(-1)).length;
          for (const one of steps) {
            if (one.kind === 'pass') clock.advance(one.ms);
            else if (one.kind === 'begin') {
              const before = circuit.state;
              const permit = circuit.begin();
              if (before === 'open' && clock.wallMs() < openUntilMs) expect(permit).toBe(0);
              if (permit === 0) continue;
              running.push(permit);
              if (circuit.state === 'half-open') expect(probing() + answered).toBeLessThanOrEqual(probes);
            } else if (running.length > 0) {
              const [permit] = running.splice(one.which % running.length, 1);
              const isProbe = circuit.state === 'half-open' && permit === Math.max(permit!, ...running);
              circuit.end(permit!, one.outcome);
              if (isProbe && circuit.state === 'half-open' && one.outcome !== undefined) answered += 1;
            }
          }
        },
      ),
    );
  });
});
