import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { type CircuitOptions, createCircuit } from './circuit.ts';
import { FAULT, GOOD, SLOW } from './window.ts';

function setUp(options: CircuitOptions = {}) {
  const clock = createFakeClock();
  const circuit = createCircuit(clock, options);
  const states: string[] = [];
  circuit.onChange((state) => states.push(state));
  const call = (outcome: number | undefined) => {
    const permit = circuit.begin();
    if (permit !== 0) circuit.end(permit, outcome);
    return permit !== 0;
  };
  const calls = (count: number, outcome: number | undefined) => {
    for (let made = 0; made < count; made++) call(outcome);
  };
  return { clock, circuit, states, call, calls };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createCircuit', () => {
  it('opens where half of the last hundred calls failed, and not before there are twenty', () => {
    const { circuit, calls, states } = setUp();
    calls(19, FAULT);
    expect(circuit.state).toBe('closed');
    calls(1, FAULT);
    expect(circuit.state).toBe('open');
    expect(states).toEqual(['open']);

    const other = setUp();
    other.calls(1000, GOOD);
    other.calls(49, FAULT);
    expect(other.circuit.state).toBe('closed');
    other.calls(1, FAULT);
    expect(other.circuit.state).toBe('open');
  });

  it('opens for slow calls, too, and takes no notice of those that say nothing', () => {
    const { circuit, calls } = setUp({ slowRate: 0.9 });
    calls(1000, undefined);
    expect(circuit.read().calls).toBe(0);
    calls(20, SLOW);
    expect(circuit.state).toBe('open');
  });

  it('opens for longer each time, up to a limit, and draws half of it', () => {
    const { clock, circuit, calls, call } = setUp({ openMs: 1000, maxOpenMs: 4000, probes: 1 });
    calls(20, FAULT);
    for (const longestMs of [1000, 2000, 4000, 4000]) {
      const { retryAfterMs } = circuit.read();
      expect(retryAfterMs).toBeGreaterThanOrEqual(longestMs / 2);
      expect(retryAfterMs).toBeLessThanOrEqual(longestMs);
      clock.advance(retryAfterMs - 1);
      expect(call(GOOD)).toBe(false);
      clock.advance(1);
      expect(call(FAULT)).toBe(true);
      expect(circuit.state).toBe('open');
    }
  });

  it('closes when every probe was answered, and forgets how often it had opened once it has been well', () => {
    const { clock, circuit, calls, call, states } = setUp({ probes: 3, maxOpenMs: 8000 });
    calls(20, FAULT);
    clock.advance(1000);
    calls(2, GOOD);
    expect(circuit.state).toBe('half-open');
    calls(1, GOOD);
    expect(states).toEqual(['open', 'half-open', 'closed']);
    clock.advance(8001);
    calls(20, FAULT);
    expect(circuit.read().retryAfterMs).toBeLessThanOrEqual(1000);
    clock.advance(1000);
    expect(call(GOOD)).toBe(true);
  });

  it('gives the place of a probe that says nothing to another', () => {
    const { clock, circuit, calls } = setUp({ probes: 1 });
    calls(20, FAULT);
    clock.advance(1000);
    const first = circuit.begin();
    expect(circuit.begin()).toBe(0);
    circuit.end(first, undefined);
    const second = circuit.begin();
    circuit.end(second, GOOD);
    expect(circuit.state).toBe('closed');
  });

  it('does not take a call of before for a probe', () => {
    const { clock, circuit, calls } = setUp({ probes: 1 });
    const early = circuit.begin();
    calls(20, FAULT);
    clock.advance(1000);
    const probe = circuit.begin();
    circuit.end(early, FAULT);
    expect(circuit.state).toBe('half-open');
    circuit.end(probe, GOOD);
    circuit.end(early, FAULT);
    expect(circuit.state).toBe('closed');
    expect(circuit.read().faults).toBe(0);
  });

  it('stays as somebody says until it is reset', () => {
    const { clock, circuit, calls, call } = setUp();
    circuit.open();
    clock.advance(1e6);
    expect(call(GOOD)).toBe(false);
    expect(circuit.read()).toMatchObject({ state: 'open', isForced: true, retryAfterMs: 0 });
    circuit.close();
    calls(200, FAULT);
    expect(circuit.state).toBe('closed');
    circuit.reset();
    expect(circuit.read()).toMatchObject({ state: 'closed', isForced: false, calls: 0 });
    calls(20, FAULT);
    expect(circuit.state).toBe('open');
  });

  it('asks the backend whether it is ready, and closes without trying a call', async () => {
    const { clock, circuit, calls, call } = setUp();
    let isReady = false;
    circuit.probeWith(async () => isReady);
    calls(20, FAULT);
    clock.advance(1000);
    await settled();
    expect(circuit.state).toBe('open');
    isReady = true;
    clock.advance(2000);
    await settled();
    // It had said no before, so that it is tried with calls as well.
    expect(circuit.state).toBe('half-open');
    calls(3, GOOD);
    expect(circuit.state).toBe('closed');

    circuit.reset();
    calls(20, FAULT);
    expect(call(GOOD)).toBe(false);
    circuit.hasten();
    await settled();
    expect(circuit.state).toBe('closed');
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks whoever was asked before where the last is taken back, and calls where nobody is left', async () => {
    const { clock, circuit, calls, call } = setUp();
    const asked: string[] = [];
    const ask = (name: string) => async () => {
      asked.push(name);
      return false;
    };
    const withdrawFirst = circuit.probeWith(ask('first'));
    const withdrawSecond = circuit.probeWith(ask('second'));
    withdrawSecond();
    calls(20, FAULT);
    clock.advance(1000);
    await settled();
    expect(asked).toEqual(['first']);
    withdrawFirst();
    clock.advance(8000);
    expect(call(GOOD)).toBe(true);
    expect([circuit.state, asked]).toEqual(['half-open', ['first']]);
  });

  it('does not wait for a backend that says nothing', async () => {
    const { clock, circuit, calls } = setUp({ maxOpenMs: 4000 });
    let asked = 0;
    circuit.probeWith(() => {
      asked += 1;
      return new Promise(() => {});
    });
    calls(20, FAULT);
    clock.advance(1000 + 4000);
    expect(circuit.read().retryAfterMs).toBeGreaterThan(0);
    clock.advance(2000);
    expect(asked).toBe(2);
  });
});
