import { describe, expect, it } from 'vitest';
import { SILENT } from '../base/telemetry/log.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { createCancelSource } from '../base/util/cancel.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../model/context.ts';
import { createFakeEngineInstance } from '../model/fake-engine.ts';
import { createEngineModel } from './engine-model.ts';
import { request, settled, signature, tensor } from './fake-requests.ts';

describe('an answer at once', () => {
  /** A model whose runs are done at once, unless `runNow` gives nothing; then they end when the test says so. */
  function setUpNow(options: { runNow?: () => readonly Tensor[] | undefined; slots?: number } = {}) {
    const clock = createFakeClock();
    const open: (() => void)[] = [];
    const instance = createFakeEngineInstance({
      ...{ signature, slots: options.slots ?? 1, computeNs: 7000 },
      run: ({ outputs }) =>
        new Promise((resolve) => {
          open.push(() => resolve(outputs.map(tensor)));
        }),
      runNow: options.runNow ?? (({ outputs }) => outputs.map(tensor)),
    });
    const parts = {
      artifact: { contentHash: 'hash' },
      instance,
      name: 'm',
      version: '2',
      clock,
      log: SILENT,
    };
    const model = createEngineModel(parts);
    const now = (asked = request(), context = createContext()) => model.inferNow?.(asked, context);
    return { clock, instance, model, open, now };
  }

  it('is the answer that infer gives, and as well told', async () => {
    const { model, open, now } = setUpNow();
    const contexts = [createContext(), createContext()] as const;
    const asked = request({ inputs: [tensor('b'), tensor('a')], outputs: ['z'] });
    const response = now(asked, contexts[0]);
    const later = model.infer(asked, contexts[1]);
    open[0]?.();
    expect(response).toEqual(await later);
    expect(response?.outputs.map((output) => output.name)).toEqual(['z']);
    expect(response?.owner.holders).toBe(1);
    expect(contexts[0].phases).toEqual(contexts[1].phases);
    expect(contexts[0].phases.computeNs).toBe(7000);
    expect(asked.owner.holders).toBe(1);
  });

  it('runs with the inputs in the order of the signature', () => {
    const { instance, now } = setUpNow();
    now(request({ inputs: [tensor('b'), tensor('a')] }));
    expect(instance.runs[0]?.inputs.map((input) => input.name)).toEqual(['a', 'b']);
    expect(instance.runs[0]?.outputs).toEqual(['y', 'z']);
  });

  it('is none while a slot is missing, others wait, or the instance would rather not', async () => {
    const { model, instance, open, now } = setUpNow();
    const running = model.infer(request(), createContext());
    expect(now()).toBeUndefined();
    const waiting = model.infer(request(), createContext());
    expect(now()).toBeUndefined();
    open[0]?.();
    await running;
    await settled();
    expect(now()).toBeUndefined();
    open[1]?.();
    await waiting;
    await settled();
    expect(now()).toBeDefined();
    expect(instance.runs).toHaveLength(3);

    const asked = request();
    const unwilling = setUpNow({ runNow: () => undefined });
    expect(unwilling.now(asked)).toBeUndefined();
    expect([asked.owner.holders, unwilling.instance.runs.length]).toEqual([1, 0]);
  });

  it('does not go past those who wait, though a slot is free for a moment', async () => {
    const { model, instance, open, now } = setUpNow();
    const running = model.infer(request(), createContext());
    const waiting = model.infer(request(), createContext());
    const seen: unknown[] = [];
    const lend = instance.tryAcquire;
    Object.assign(instance, {
      tryAcquire: () => {
        seen.push(now());
        return lend();
      },
    });
    open[0]?.();
    await running;
    await settled();
    open[1]?.();
    await waiting;
    expect(seen).toEqual([undefined]);
  });

  it.each<[string, (made: ReturnType<typeof setUpNow>) => Partial<RequestContext>]>([
    [
      'a cancelled request',
      () => {
        const cancel = createCancelSource();
        cancel.cancel('client-left');
        return { cancel };
      },
    ],
    ['one past its deadline', () => ({ deadlineAtNs: 0 })],
    [
      'one that comes while it drains',
      ({ model }) => {
        void model.close({ graceMs: 10 });
        return {};
      },
    ],
    [
      'one that comes when it has failed',
      ({ instance }) => {
        instance.setHealth('failed');
        return {};
      },
    ],
  ])('refuses %s as infer does', async (_, prepare) => {
    const made = setUpNow();
    const context = createContext(prepare(made));
    const refusal = await made.model.infer(request(), context).catch((error) => error);
    expect(refusal.code).toMatch(/^(CANCELLED|DEADLINE_EXCEEDED|MODEL_NOT_READY)$/);
    expect(() => made.now(request(), context)).toThrow(refusal);
    expect(made.instance.runs).toHaveLength(0);
  });

  it('hides a failure that is no error of ours, and goes on', () => {
    let failing = true;
    const { now } = setUpNow({
      runNow: () => {
        if (failing) throw new Error('native text');
        return [];
      },
    });
    expect(() => now()).toThrow(
      expect.objectContaining({ code: 'INTERNAL', message: expect.not.stringContaining('native text') }),
    );
    failing = false;
    expect(now()).toMatchObject({ outputs: [] });
  });

  it('counts for the advice when to come again', async () => {
    const hurried = createEngineModel({
      ...{ artifact: { contentHash: 'h' }, name: 'm', version: '1', clock: createFakeClock(), log: SILENT },
      instance: createFakeEngineInstance({
        ...{ signature, computeNs: 50e6 },
        run: () => new Promise(() => {}),
        runNow: () => [],
      }),
      maxWaiting: 1,
    });
    hurried.inferNow?.(request(), createContext());
    for (const _ of [0, 1]) hurried.infer(request(), createContext()).catch(() => {});
    await expect(hurried.infer(request(), createContext())).rejects.toMatchObject({ retryAfterMs: 50 });
  });

  it('does not keep a model from draining', async () => {
    const { model, instance, now } = setUpNow();
    now();
    await model.close({ graceMs: 1000 });
    expect(instance.drained).toBe(true);
  });
});
