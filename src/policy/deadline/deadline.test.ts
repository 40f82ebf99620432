import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest, type InferResponse } from '../../model/request.ts';
import { createDeadline } from './deadline.ts';

const request = createInferRequest({ model: 'fake', inputs: [] });

/** A wrapped model whose answer the test gives. */
function setUp(defaultTimeoutMs = 30) {
  const clock = createFakeClock();
  let answer: (response: InferResponse) => void = () => {};
  let context: RequestContext | undefined;
  const inner = createFakeModel({
    answer: (_, given) => {
      context = given;
      return new Promise<InferResponse>((resolve) => {
        answer = resolve;
      });
    },
  });
  const model = createDeadline({ clock }, { defaultTimeoutMs })(inner);
  return {
    clock,
    inner,
    model,
    answer: (response: InferResponse) => answer(response),
    context: () => context,
  };
}

function response(): InferResponse {
  return {
    ...{ model: 'fake', version: '1', id: '', outputs: [], parameters: {}, owner: createOwner() },
    report: { cache: 'none', computeNs: 0, cacheable: true },
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('createDeadline', () => {
  it('gives a request without a deadline the default, and keeps one that is set', async () => {
    const { model, context, clock, answer } = setUp();
    clock.advance(5);
    const first = model.infer(request, createContext());
    expect(context()?.deadlineAtNs).toBe(35e6);
    answer(response());
    await first;
    const second = model.infer(request, createContext({ deadlineAtNs: 900e6 }));
    expect(context()?.deadlineAtNs).toBe(900e6);
    answer(response());
    await second;
    expect(clock.pendingTimers).toBe(0);
  });

  it('answers when the deadline passes, cancels what is within, and drops the late answer', async () => {
    const { model, context, clock, answer } = setUp();
    const late = model.infer(request, createContext());
    clock.advance(29);
    expect(context()?.cancel.cancelled).toBe(false);
    clock.advance(1);
    expect(context()?.cancel.reason).toBe('deadline');
    await expect(late).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('30 ms'),
    });
    const dropped = response();
    answer(dropped);
    await settled();
    expect(dropped.owner.holders).toBe(0);
  });

  it('does not ask the model when the deadline has passed', async () => {
    const { model, inner, clock } = setUp();
    clock.advance(10);
    const late = model.infer(request, createContext({ deadlineAtNs: 10e6 }));
    await expect(late).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('before the model was asked'),
    });
    expect(inner.requests).toHaveLength(0);
  });

  it('passes on that the model failed, and forgets the request', async () => {
    const clock = createFakeClock();
    const failure = new NimifyError('ENGINE_FAILED', 'no');
    const cancel = createCancelSource();
    const inner = createFakeModel({ answer: () => Promise.reject(failure) });
    const model = createDeadline({ clock }, { defaultTimeoutMs: 30 })(inner);
    await expect(model.infer(request, createContext({ cancel }))).rejects.toBe(failure);
    expect(clock.pendingTimers).toBe(0);
  });

  it('passes on why a request is no longer wanted', async () => {
    const { model, context, answer } = setUp();
    const cancel = createCancelSource();
    const left = model.infer(request, createContext({ cancel }));
    cancel.cancel('shutdown');
    expect(context()?.cancel.reason).toBe('shutdown');
    answer(response());
    await left;
  });

  it('lets a request take as long as it takes where the default is infinite', async () => {
    const { model, clock, answer, context } = setUp(Number.POSITIVE_INFINITY);
    const outer = createContext();
    const patient = model.infer(request, outer);
    expect(context()).toBe(outer);
    expect(clock.pendingTimers).toBe(0);
    answer(response());
    await patient;
  });

  it('shows the model within, and its state', async () => {
    const { model, inner } = setUp();
    expect(model).toMatchObject({ kind: 'deadline', name: 'fake', version: '1', inner: [inner] });
    expect(model).not.toHaveProperty('revision');
    const heard: string[] = [];
    const stop = model.onState((state) => heard.push(state));
    inner.setState('degraded');
    expect(model.state).toBe('degraded');
    expect(heard).toEqual(['degraded']);
    stop();
    const revised = createDeadline(
      { clock: createFakeClock() },
      { defaultTimeoutMs: 30 },
    )({ ...inner, revision: 'abc' });
    expect(revised.revision).toBe('abc');
    await model.close({ graceMs: 3 });
    expect(inner.closedWith).toEqual({ graceMs: 3 });
  });
});

describe('an answer at once', () => {
  function setUpNow(defaultTimeoutMs = 30) {
    const clock = createFakeClock();
    const inner = createFakeModel({ answerNow: ({ id }) => (id === 'later' ? undefined : []) });
    const model = createDeadline({ clock }, { defaultTimeoutMs })(inner);
    const ask = (fields: Partial<RequestContext> = {}, id = '') =>
      model.inferNow?.(createInferRequest({ model: 'fake', inputs: [], id }), createContext(fields));
    return { clock, inner, model, ask };
  }

  it('needs no timer, within the deadline or the default', () => {
    const { clock, inner, ask } = setUpNow();
    clock.advance(5);
    expect(ask()).toMatchObject({ outputs: [] });
    expect(ask({ deadlineAtNs: 5e6 + 1 })).toMatchObject({ outputs: [] });
    expect(clock.pendingTimers).toBe(0);
    expect(inner.requests).toHaveLength(2);
  });

  it('is refused past the deadline as one that may take its time', async () => {
    const { clock, model, inner, ask } = setUpNow();
    clock.advance(5);
    const late = await model.infer(request, createContext({ deadlineAtNs: 5e6 })).catch((error) => error);
    expect(late.code).toBe('DEADLINE_EXCEEDED');
    expect(() => ask({ deadlineAtNs: 5e6 })).toThrow(late);
    expect(() => setUpNow(0).ask()).toThrow(late);
    expect(inner.requests).toHaveLength(0);
  });

  it('is none where the model within gives none', () => {
    const { ask } = setUpNow();
    expect(ask({}, 'later')).toBeUndefined();
    expect(setUp().model).not.toHaveProperty('inferNow');
  });
});

describe('createDeadline, over a model that turns requests away beforehand', () => {
  it('asks it with the deadline or the default', () => {
    const clock = createFakeClock();
    const asked: number[] = [];
    const inner = createFakeModel({
      turnAway: ({ deadlineAtNs }, isPlain) => {
        asked.push(deadlineAtNs);
        return isPlain() ? new NimifyError('OVERLOADED', 'full') : undefined;
      },
    });
    const model = createDeadline({ clock }, { defaultTimeoutMs: 10 })(inner);
    clock.advance(5);
    expect(model.turnAway!(createContext(), () => true)?.message).toBe('full');
    expect(model.turnAway!(createContext({ deadlineAtNs: 7e6 }), () => false)).toBeUndefined();
    expect(asked).toEqual([15e6, 7e6]);
    expect(clock.pendingTimers).toBe(0);
    expect(createDeadline({ clock }, { defaultTimeoutMs: 10 })(createFakeModel()).turnAway).toBeUndefined();
  });
});
