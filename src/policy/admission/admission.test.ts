import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import type { Model } from '../../model/contract.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest, type InferResponse } from '../../model/request.ts';
import { createAdmission } from './admission.ts';

const request = createInferRequest({ model: 'fake', inputs: [] });

/** A wrapped model that answers when the test says so. */
function setUp(maxLimit = 4, turnAway?: Model['turnAway'], answersNow = true) {
  const clock = createFakeClock();
  const answers: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  const inner = createFakeModel({
    answer: () =>
      new Promise<InferResponse | never[]>((resolve, reject) => {
        answers.push({ resolve: () => resolve([]), reject });
      }),
    ...(answersNow ? { answerNow: ({ id }) => (id === 'later' ? undefined : []) } : {}),
    ...(turnAway === undefined ? {} : { turnAway }),
  });
  const model = createAdmission({ clock }, { minLimit: () => 2, maxLimit })(inner);
  const ask = () => model.infer(request, createContext());
  return { clock, inner, model, answers, ask };
}

describe('createAdmission', () => {
  it('refuses what is more than may be in flight, and says when to come again', async () => {
    const { clock, answers, ask, inner } = setUp(2);
    const first = ask();
    clock.advance(25);
    answers[0]!.resolve();
    await first;
    const within = [ask(), ask()];
    await expect(ask()).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterMs: 25,
      message: expect.stringContaining('2 requests are in flight'),
    });
    expect(inner.requests).toHaveLength(3);
    for (const { resolve } of answers) resolve();
    await Promise.all(within);
  });

  it('gives a place back when a request was answered, and when it failed', async () => {
    const { answers, ask } = setUp(2);
    const failing = ask();
    const answered = ask();
    const failure = new NimifyError('ENGINE_FAILED', 'no');
    answers[0]!.reject(failure);
    await expect(failing).rejects.toBe(failure);
    answers[1]!.resolve();
    await answered;
    const again = [ask(), ask()];
    for (const { resolve } of answers) resolve();
    await expect(Promise.all(again)).resolves.toHaveLength(2);
  });

  /** Long without a queue, then far more at once than are answered as soon. */
  async function overload({ clock, answers, ask }: ReturnType<typeof setUp>): Promise<void> {
    async function round(size: number, ms: number): Promise<void> {
      const from = answers.length;
      const asked = Array.from({ length: size }, ask);
      clock.advance(ms);
      for (const { resolve } of answers.slice(from)) resolve();
      await Promise.all(asked);
    }
    for (let at = 0; at < 100; at++) await round(1, 5);
    await round(64, 500);
    await round(64, 500);
  }

  it('learns from what was answered how many may be in flight', async () => {
    const made = setUp(64, undefined, false);
    await overload(made);
    await expect(Promise.all(Array.from({ length: 64 }, made.ask))).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
  });

  it('refuses none of a model that answers at once, as long as no more are in flight than may ever be', async () => {
    const made = setUp(64);
    await overload(made);
    const asked = Array.from({ length: 64 }, made.ask);
    for (const { resolve } of made.answers) resolve();
    await Promise.all(asked);
  });

  it('refuses an answer at once above the limit, and does not count one', async () => {
    const { model, answers, ask } = setUp(2);
    const askNow = (id = '') => model.inferNow?.({ ...request, id }, createContext());
    for (let at = 0; at < 5; at++) expect(askNow()).toMatchObject({ outputs: [] });
    expect(askNow('later')).toBeUndefined();
    const within = [ask(), ask()];
    expect(() => askNow()).toThrow(NimifyError);
    for (const { resolve } of answers) resolve();
    await Promise.all(within);
    expect(askNow()).toMatchObject({ outputs: [] });
    const bare = createAdmission({ clock: createFakeClock() }, { minLimit: () => 1 })(createFakeModel());
    expect(bare).not.toHaveProperty('inferNow');
  });

  it('shows the model within, and its state', async () => {
    const { model, inner } = setUp();
    expect(model).toMatchObject({ kind: 'admission', name: 'fake', version: '1', inner: [inner] });
    expect(model).not.toHaveProperty('revision');
    const heard: string[] = [];
    model.onState((state) => heard.push(state));
    inner.setState('degraded');
    expect(model.state).toBe('degraded');
    expect(heard).toEqual(['degraded']);
    const revised = createAdmission(
      { clock: createFakeClock() },
      { minLimit: () => 1 },
    )({ ...inner, revision: 'abc' });
    expect(revised.revision).toBe('abc');
    await model.close({ graceMs: 3 });
    expect(inner.closedWith).toEqual({ graceMs: 3 });
  });

  it('turns away whom it would refuse, and whom the model within would', async () => {
    let isFull = false;
    const turnAway = () => (isFull ? new NimifyError('OVERLOADED', 'within') : undefined);
    const { model, answers, ask } = setUp(2, turnAway);
    const asked = () => model.turnAway!(createContext(), () => false)?.message;
    expect(asked()).toBeUndefined();
    isFull = true;
    expect(asked()).toBe('within');
    const two = [ask(), ask()];
    expect(asked()).toContain('2 requests are in flight');
    for (const { resolve } of answers) resolve();
    await Promise.all(two);
    expect(setUp().model.turnAway).toBeUndefined();
  });

  it('refuses first what matters least, and counts it', async () => {
    const shed: string[] = [];
    const inner = createFakeModel({ answer: () => new Promise<never[]>(() => {}) });
    const model = createAdmission(
      { clock: createFakeClock(), instruments: { refused: (criticality) => void shed.push(criticality) } },
      { minLimit: () => 2, maxLimit: 100, maxConcurrent: 4, criticality: 'sheddable' },
    )(inner);
    const ask = (criticality?: string) => {
      const attributes = criticality === undefined ? {} : { 'x-nimify-criticality': criticality };
      void model.infer(request, createContext({ attributes })).catch(() => {});
    };
    ask();
    ask();
    expect(inner.requests).toHaveLength(2);
    ask();
    ask('unheard of');
    expect(shed).toEqual(['sheddable', 'sheddable']);
    ask('default');
    ask('default');
    expect(inner.requests).toHaveLength(4);
    ask('default');
    ask('critical');
    expect(shed).toEqual(['sheddable', 'sheddable', 'default', 'critical']);
  });
});
