import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_LEVELS, EVENT_TYPES, type EventReport, type EventType } from '../../base/telemetry/events.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import type { Incident, IncidentChange } from './contract.ts';
import { createEscalation } from './escalation.ts';

type Step = { readonly report: EventReport } | { readonly waitMs: number };

const report = fc.record({
  type: fc.constantFrom(...(Object.keys(EVENT_TYPES) as EventType[])),
  model: fc.constantFrom('a', 'b'),
  part: fc.constantFrom('0', '1'),
  message: fc.constant('something'),
});
const steps = fc.array<Step>(
  fc.oneof(
    report.map((one) => ({ report: one })),
    fc.integer({ min: 0, max: 1_200_000 }).map((waitMs) => ({ waitMs })),
  ),
  { maxLength: 60 },
);

function play(all: readonly Step[]) {
  const clock = createFakeClock();
  const seen: { readonly incident: Incident; readonly change: IncidentChange }[] = [];
  const escalation = createEscalation({
    clock,
    isServed: () => true,
    onChange: (incident, change) => seen.push({ incident, change }),
  });
  for (const step of all) {
    if ('report' in step) escalation.report(step.report);
    else clock.advance(step.waitMs);
  }
  return { clock, seen, escalation };
}

describe('incidents', () => {
  it('only rise until they are resolved, each is opened once, and nothing is said of it twice', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const levels = new Map<string, number>();
        for (const { incident, change } of play(all).seen) {
          const { key, state } = incident;
          const level = EVENT_LEVELS.indexOf(state);
          const before = levels.get(key);
          if (change === 'noted') {
            expect(before).toBeUndefined();
            continue;
          }
          if (change === 'opened') expect(before).toBeUndefined();
          else expect(before).toBeDefined();
          if (change === 'raised' || change === 'lasted') expect(level).toBeGreaterThan(before!);
          if (change === 'repeated' || change === 'ended') expect(level).toBe(before);
          if (change === 'resolved') levels.delete(key);
          else levels.set(key, level);
        }
      }),
    );
  });

  it('are all resolved once what began has ended and stays away, and leave no timer', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { clock, escalation } = play(all);
        for (const type of Object.keys(EVENT_TYPES) as EventType[]) {
          if (!('ends' in EVENT_TYPES[type])) continue;
          for (const model of ['a', 'b']) {
            for (const part of ['0', '1']) escalation.report({ type, model, part, message: 'over' });
          }
        }
        clock.advance(3_600_000);
        expect(escalation.open()).toEqual([]);
        expect(clock.pendingTimers).toBe(0);
      }),
    );
  });
});
