import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { EventReport } from '../../base/telemetry/events.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest, type InferRequest } from '../../model/request.ts';
import { createQuarantine } from './quarantine.ts';

const POISON = 13;

function requestOf(...values: readonly number[]): InferRequest {
  const x: Tensor = { name: 'x', datatype: 'FP32', shape: [values.length], data: Float32Array.from(values) };
  return createInferRequest({ model: 'fake', inputs: [x] });
}

function crashed(): NimifyError {
  return new NimifyError('ENGINE_CRASHED', 'died', { details: { inFlight: 1 } });
}

/** A model that dies of one value, unless the test says otherwise. */
function setUp() {
  const clock = createFakeClock();
  const told: EventReport[] = [];
  const refusals = { count: 0 };
  let answer = ({ inputs }: InferRequest): readonly Tensor[] => {
    if ((inputs[0]!.data as Float32Array)[0] === POISON) throw crashed();
    return inputs;
  };
  const inner = createFakeModel({ answer: (request) => answer(request) });
  const alone = createFakeModel({ answer: (request) => answer(request) });
  const model = createQuarantine(
    {
      clock,
      events: { report: (event) => void told.push(event) },
      onRefused: () => {
        refusals.count += 1;
      },
    },
    { alone },
  )(inner);
  const ask = (...values: readonly number[]) =>
    model.infer(requestOf(...values), createContext()).then(
      () => 'answered',
      (error: NimifyError) => error.code,
    );
  return {
    ...{ clock, told, inner, alone, ask, refusals },
    setAnswer(next: typeof answer) {
      answer = next;
    },
  };
}

describe('createQuarantine', () => {
  it('refuses a content of which an instance died twice, and tells of it', async () => {
    const { ask, inner, alone, told, refusals } = setUp();
    expect(await ask(POISON)).toBe('ENGINE_CRASHED');
    expect(told).toEqual([]);
    expect(await ask(POISON)).toBe('ENGINE_CRASHED');
    expect(told).toMatchObject([{ type: 'poison-request', model: 'fake', details: { crashes: 2 } }]);
    for (let i = 0; i < 3; i++) expect(await ask(POISON)).toBe('INVALID_INPUT');
    expect([inner.requests.length, alone.requests.length, refusals.count]).toEqual([1, 1, 3]);
    expect(await ask(1)).toBe('answered');
    expect(await ask(1, POISON)).toBe('answered');
    expect(inner.requests).toHaveLength(3);
  });

  it('tries it again when its time is over, and refuses it for longer each time', async () => {
    const { ask, clock, told, setAnswer } = setUp();
    await ask(POISON);
    await ask(POISON);
    for (const seconds of [10, 20, 40]) {
      clock.advance(seconds * 1000 - 1);
      expect(await ask(POISON)).toBe('INVALID_INPUT');
      clock.advance(1);
      expect(await ask(POISON)).toBe('ENGINE_CRASHED');
    }
    expect(told).toHaveLength(4);
    setAnswer(({ inputs }) => inputs);
    clock.advance(80_000);
    expect(await ask(POISON)).toBe('answered');
    setAnswer(() => {
      throw crashed();
    });
    expect(await ask(POISON)).toBe('ENGINE_CRASHED');
    expect(told).toHaveLength(4);
  });

  it('clears a content that is answered', async () => {
    const { ask, told, setAnswer, alone } = setUp();
    for (let i = 0; i < 3; i++) {
      setAnswer(() => {
        throw crashed();
      });
      expect(await ask(1)).toBe('ENGINE_CRASHED');
      setAnswer(({ inputs }) => inputs);
      expect(await ask(1)).toBe('answered');
    }
    expect([alone.requests.length, told]).toEqual([3, []]);
  });

  it('lets one of a content be tried, and others of it wait for what comes of it', async () => {
    const { ask, alone } = setUp();
    expect(await ask(POISON)).toBe('ENGINE_CRASHED');
    const all = await Promise.all([ask(POISON), ask(POISON), ask(POISON), ask(1)]);
    expect(all).toEqual(['ENGINE_CRASHED', 'INVALID_INPUT', 'INVALID_INPUT', 'answered']);
    expect(alone.requests).toHaveLength(1);
  });

  it('suspects nobody who was not in an instance that ended', async () => {
    const { ask, setAnswer, alone } = setUp();
    for (const error of [
      new NimifyError('ENGINE_CRASHED', 'being replaced'),
      new NimifyError('ENGINE_FAILED', 'refused'),
      new NimifyError('DEADLINE_EXCEEDED', 'late'),
    ]) {
      setAnswer(() => {
        throw error;
      });
      for (let i = 0; i < 3; i++) expect(await ask(POISON)).toBe(error.code);
    }
    expect(alone.requests).toHaveLength(0);
  });

  it('counts a run that was ended for its length', async () => {
    const { ask, setAnswer } = setUp();
    setAnswer(() => {
      throw new NimifyError('DEADLINE_EXCEEDED', 'too long', { details: { runLimitMs: 1000 } });
    });
    for (const code of ['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', 'INVALID_INPUT']) {
      expect(await ask(7)).toBe(code);
    }
  });

  it('keeps a bounded number of suspects', async () => {
    const { ask, setAnswer, alone } = setUp();
    setAnswer(() => {
      throw crashed();
    });
    for (let value = 0; value <= 1000; value++) await ask(value);
    await ask(0);
    expect(alone.requests).toHaveLength(0);
    await ask(1000);
    expect(alone.requests).toHaveLength(1);
  });
});
