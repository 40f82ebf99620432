import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, SELF_TEST } from '../../model/context.ts';
import { createFakeModel, type FakeModelOptions } from '../../model/fake-model.ts';
import { createInferRequest } from '../../model/request.ts';
import { type BreakerOptions, createBreaker } from './breaker.ts';
import { createCircuit } from './circuit.ts';

const request = createInferRequest({ model: 'fake', inputs: [] });
const context = createContext();

function setUp(fake: FakeModelOptions = {}, options: BreakerOptions = {}) {
  const clock = createFakeClock();
  const circuit = createCircuit(clock, { calls: 10, minCalls: 10, probes: 1 });
  const inner = createFakeModel(fake);
  const refused = { count: 0 };
  const instruments = {
    refused: () => {
      refused.count += 1;
    },
  };
  const model = createBreaker({ clock, circuit, instruments }, options)(inner);
  return { clock, circuit, inner, model, refused };
}

function failing(code: ErrorCode) {
  return {
    answer: () => {
      throw new NimifyError(code, 'as the test wants it');
    },
  };
}

describe('createBreaker', () => {
  it('leaves a backend alone that fails, says when to come back, and tries it then', async () => {
    let isBroken = true;
    const { clock, circuit, inner, model, refused } = setUp({
      answer: () => {
        if (isBroken) throw new NimifyError('ENGINE_CRASHED', 'down');
        return [];
      },
    });
    for (let call = 0; call < 10; call++)
      await expect(model.infer(request, context)).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    await expect(model.infer(request, context)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      retryAfterMs: expect.any(Number),
    });
    expect(inner.requests).toHaveLength(10);
    expect(refused.count).toBe(1);
    await expect(model.infer(request, createContext({ principal: SELF_TEST }))).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
    });
    expect(refused.count).toBe(1);
    isBroken = false;
    clock.advance(1000);
    await model.infer(request, context);
    expect(circuit.state).toBe('closed');
  });

  it.each<ErrorCode>(['INVALID_INPUT', 'OVERLOADED', 'CANCELLED', 'UNSUPPORTED', 'DEADLINE_EXCEEDED'])(
    'takes no notice of %s, which is no fault of the backend',
    async (code) => {
      const { circuit, model } = setUp(failing(code));
      for (let call = 0; call < 50; call++) await model.infer(request, context).catch(() => {});
      expect(circuit.read()).toMatchObject({ state: 'closed', calls: 0 });
    },
  );

  it('takes a deadline that passes for a fault where nobody was answered meanwhile', async () => {
    const { clock, circuit, model } = setUp(failing('DEADLINE_EXCEEDED'));
    const late = () => {
      const answer = model.infer(request, context).catch(() => {});
      clock.advance(1500);
      return answer;
    };
    for (let call = 0; call < 10; call++) await late();
    expect(circuit.state).toBe('open');
  });

  it('counts the time in the backend, not in our queue, where slow calls are to count', async () => {
    const queued = createContext();
    const clock = createFakeClock();
    const circuit = createCircuit(clock, { calls: 10, minCalls: 10 });
    const inner = createFakeModel({
      answer: (_, { phases }) => {
        clock.advance(100);
        phases.queueNs = waitedMs * 1e6;
        return [];
      },
    });
    let waitedMs = 80;
    const model = createBreaker({ clock, circuit }, { slowMs: 50 })(inner);
    for (let call = 0; call < 20; call++) await model.infer(request, queued);
    expect(circuit.read()).toMatchObject({ state: 'closed', slow: 0 });
    waitedMs = 10;
    for (let call = 0; call < 5; call++) await model.infer(request, queued);
    expect(circuit.state).toBe('open');
  });

  it('counts answers at once, and hands a permit back where there is none', async () => {
    let isNow = true;
    const { circuit, model } = setUp({ answerNow: () => (isNow ? [] : undefined) });
    for (let call = 0; call < 5; call++) model.inferNow?.(request, context);
    isNow = false;
    expect(model.inferNow?.(request, context)).toBeUndefined();
    expect(circuit.read().calls).toBe(5);
    circuit.open();
    expect(() => model.inferNow?.(request, context)).toThrow(
      expect.objectContaining({ code: 'CIRCUIT_OPEN' }),
    );
  });

  it('turns requests away before they are read while it is open', () => {
    const { circuit, model } = setUp({ turnAway: () => undefined });
    expect(model.turnAway?.(context, () => true)).toBeUndefined();
    circuit.open();
    expect(model.turnAway?.(context, () => true)).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });

  it('takes no notice of a model that is being retired', async () => {
    const { circuit, inner, model } = setUp(failing('MODEL_NOT_READY'));
    inner.setState('draining');
    for (let call = 0; call < 20; call++) await model.infer(request, context).catch(() => {});
    expect(circuit.read().calls).toBe(0);
  });

  it('tries the backend as soon as it says that it is ready again', async () => {
    const { circuit, inner, model } = setUp(failing('ENGINE_CRASHED'));
    for (let call = 0; call < 10; call++) await model.infer(request, context).catch(() => {});
    expect(circuit.state).toBe('open');
    inner.setState('degraded');
    expect(circuit.isRefusing).toBe(true);
    inner.setState('ready');
    expect(circuit.isRefusing).toBe(false);
  });
});
