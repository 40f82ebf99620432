import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createFakeModel } from '../model/fake-model.ts';
import { createCircuit } from '../policy/breaker/circuit.ts';
import { toFakeServed } from '../registry/fake-served.ts';
import { createRegistry } from '../registry/registry.ts';
import { type BreakerStatus, changeBreaker, joinBreakers, readBreaker } from './breakers.ts';

describe('the breakers that requests may change', () => {
  it('are opened, closed and reset', () => {
    const registry = createRegistry();
    registry.add({
      ...toFakeServed(createFakeModel({ name: 'digits' })),
      breaker: createCircuit(createFakeClock()),
    });
    expect(readBreaker(registry, 'digits')).toMatchObject({
      model: 'digits',
      state: 'closed',
      forced: false,
    });
    expect(changeBreaker(registry, 'digits', undefined, 'open')).toMatchObject({
      state: 'open',
      forced: true,
    });
    expect(changeBreaker(registry, 'digits', '1', 'close')).toMatchObject({ state: 'closed', forced: true });
    expect(changeBreaker(registry, 'digits', '1', 'reset')).toMatchObject({ state: 'closed', forced: false });
  });

  it('are not there for every model', () => {
    const registry = createRegistry();
    registry.add(toFakeServed(createFakeModel({ name: 'digits' })));
    expect(() => readBreaker(registry, 'digits')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => readBreaker(registry, 'other')).toThrow(
      expect.objectContaining({ code: 'MODEL_NOT_FOUND' }),
    );
  });

  it('are of several processes the worst, with the sums of what they have seen', () => {
    const one: BreakerStatus = {
      ...({ model: 'digits', version: '1', state: 'closed', forced: false } as const),
      ...{ calls: 10, faults: 1, slow: 0, retry_after_ms: 0 },
    };
    const other: BreakerStatus = { ...one, state: 'open', calls: 20, faults: 15, retry_after_ms: 800 };
    expect(joinBreakers([one, other, { ...one, state: 'half-open' }])).toEqual({
      ...{ model: 'digits', version: '1', state: 'open', forced: false },
      ...{ calls: 40, faults: 17, slow: 0, retry_after_ms: 800 },
    });
  });
});
