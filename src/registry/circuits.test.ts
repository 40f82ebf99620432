import { describe, expect, it } from 'vitest';
import type { EventReport } from '../base/telemetry/events.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { FAULT } from '../policy/breaker/window.ts';
import { circuitOf } from './circuits.ts';

const SUBJECT = { name: 'digits', version: '1', revision: 'abc' };

function setUp() {
  const events: EventReport[] = [];
  const sink = { report: (event: EventReport) => void events.push(event) };
  return { events, deps: { clock: createFakeClock(), log: SILENT, circuits: new Map(), events: sink } };
}

describe('circuitOf', () => {
  it('gives the same one to all who use a backend, and another to one of other content or options', () => {
    const { deps } = setUp();
    const circuit = circuitOf(SUBJECT, { minCalls: 3 }, deps);
    expect(circuitOf({ ...SUBJECT }, { minCalls: 3 }, deps)).toBe(circuit);
    expect(circuitOf({ ...SUBJECT, version: '2' }, { minCalls: 3 }, deps)).not.toBe(circuit);
    expect(circuitOf(SUBJECT, { minCalls: 4 }, deps)).not.toBe(circuit);
    expect(circuitOf({ ...SUBJECT, revision: 'def' }, { minCalls: 4 }, deps)).not.toBe(circuit);
    expect(deps.circuits.size).toBe(2);
  });

  it('tells once that it opened and closed, with the figures', () => {
    const { deps, events } = setUp();
    const circuit = circuitOf(SUBJECT, { minCalls: 3 }, deps);
    circuitOf(SUBJECT, { minCalls: 3 }, deps);
    for (let call = 0; call < 3; call++) circuit.end(circuit.begin(), FAULT);
    circuit.close();
    expect(events).toMatchObject([
      { type: 'breaker-opened', model: 'digits', version: '1', message: expect.stringContaining('3 failed') },
      { type: 'breaker-closed', model: 'digits', version: '1' },
    ]);
  });
});
