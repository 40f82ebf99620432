import { describe, expect, it, vi } from 'vitest';
import { SILENT } from '../base/telemetry/log.ts';
import { createCancelSource } from '../base/util/cancel.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createContext } from '../model/context.ts';
import { createFakeEngineInstance } from '../model/fake-engine.ts';
import type { Signature } from '../model/signature.ts';
import { createEngineModel } from './engine-model.ts';
import { request, settled, signature, tensor } from './fake-requests.ts';

/** A model whose runs end when the test says so. */
function setUp({ slots = 1, maxWaiting = 1024, computeNs = 1000 } = {}) {
  const clock = createFakeClock();
  const open: { readonly finish: () => void; readonly fail: (thrown: unknown) => void }[] = [];
  const instance = createFakeEngineInstance({
    signature,
    slots,
    computeNs,
    run: ({ outputs }) =>
      new Promise((resolve, reject) => {
        open.push({ finish: () => resolve(outputs.map(tensor)), fail: reject });
      }),
  });
  const model = createEngineModel({
    ...{
      artifact: { contentHash: 'hash' },
      instance,
      name: 'm',
      version: '2',
      clock,
      log: SILENT,
      maxWaiting,
    },
  });
  return { clock, instance, model, open };
}

describe('createEngineModel', () => {
  it('refuses a tensor without elements where an operator would end the process on it', async () => {
    const instance = createFakeEngineInstance({ signature, slots: 1, run: async () => [tensor('y')] });
    const parts = { artifact: { contentHash: 'h' }, instance, name: 'm', version: '1', log: SILENT };
    const against = (specs: Signature['inputs']) =>
      createEngineModel({
        ...{ ...parts, clock: createFakeClock() },
        signature: { ...signature, inputs: specs, operatorAgainstEmpty: 'LSTM' },
      });
    const empty = { ...tensor('b'), shape: [0], data: new Float32Array(0) };
    const asked = () => request({ inputs: [tensor('a'), empty] });
    await expect(against(signature.inputs).infer(asked(), createContext())).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/inputs\[1\]\.shape: .*\[0\].*LSTM/),
    });
    const fixed = signature.inputs.map((spec) => (spec.name === 'b' ? { ...spec, shape: [0] } : spec));
    await expect(against(fixed).infer(asked(), createContext())).resolves.toBeDefined();
    await expect(against(signature.inputs).infer(request(), createContext())).resolves.toBeDefined();
  });

  it('answers with the outputs, the phases and an owner of its own', async () => {
    const { model, open, clock, instance } = setUp({ computeNs: 7000 });
    const context = createContext();
    const asked = request();
    const answer = model.infer(asked, context);
    clock.advance(3);
    open[0]?.finish();
    const response = await answer;
    expect(response).toMatchObject({ model: 'm', version: '2', id: 'r', report: { computeNs: 7000 } });
    expect(response.outputs.map((output) => output.name)).toEqual(['y', 'z']);
    expect(context.phases).toMatchObject({ queueNs: 0, computeNs: 7000 });
    expect(response.owner.holders).toBe(1);
    expect(asked.owner.holders).toBe(1);
    expect(instance.runs).toHaveLength(1);
    expect(model.revision).toBe('hash');
  });

  it('passes inputs in the order of the signature, and only the wanted outputs', async () => {
    const { model, instance, open } = setUp();
    const answer = model.infer(
      request({ inputs: [tensor('b'), tensor('a')], outputs: ['z'] }),
      createContext(),
    );
    open[0]?.finish();
    expect((await answer).outputs.map((output) => output.name)).toEqual(['z']);
    expect(instance.runs[0]?.inputs.map((input) => input.name)).toEqual(['a', 'b']);
  });

  it('lets the host see a sole holder, and holds the buffers until the run is over', async () => {
    const { model, instance, open } = setUp();
    const asked = request();
    const cancel = createCancelSource();
    const answer = model.infer(asked, createContext({ cancel }));
    const owner = instance.runs[0]?.owner;
    expect(owner).toBe(asked.owner);
    expect(asked.owner.holders).toBe(2);
    cancel.cancel('client-left');
    await expect(answer).rejects.toMatchObject({ code: 'CANCELLED' });
    asked.owner.release();
    expect(asked.owner.holders).toBe(1);
    open[0]?.finish();
    await settled();
    expect(asked.owner.holders).toBe(0);
  });

  it('serves in order of arrival as slots come free, and tells how long each waited', async () => {
    const { model, instance, open, clock } = setUp({ slots: 2 });
    const contexts = Array.from({ length: 5 }, () => createContext());
    const order: number[] = [];
    const answers = contexts.map((context, at) =>
      model.infer(request({ id: `${at}` }), context).then(() => order.push(at)),
    );
    expect(instance.runs).toHaveLength(2);
    for (let at = 0; at < 5; at++) {
      clock.advance(10);
      open[at]?.finish();
      await settled();
    }
    await Promise.all(answers);
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(contexts.map((context) => context.phases.queueNs / 1e6)).toEqual([0, 0, 10, 20, 30]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets a cancelled request leave the line at once', async () => {
    const { model, instance, open } = setUp();
    const first = model.infer(request(), createContext());
    const cancel = createCancelSource();
    const waiting = model.infer(request(), createContext({ cancel }));
    const last = model.infer(request(), createContext());
    cancel.cancel('client-left');
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    open[0]?.finish();
    await first;
    await settled();
    open[1]?.finish();
    await last;
    expect(instance.runs).toHaveLength(2);
  });

  it('lets a request leave the line when its deadline passes', async () => {
    const { model, clock, open } = setUp();
    const first = model.infer(request(), createContext());
    const waiting = model.infer(request(), createContext({ deadlineAtNs: 5e6 }));
    clock.advance(5);
    await expect(waiting).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    open[0]?.finish();
    await first;
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not begin what is over already', async () => {
    const { model, clock, instance } = setUp();
    clock.advance(10);
    const late = model.infer(request(), createContext({ deadlineAtNs: 5e6 }));
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const cancel = createCancelSource();
    cancel.cancel('deadline');
    await expect(model.infer(request(), createContext({ cancel }))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    expect(instance.runs).toHaveLength(0);
  });

  it('keeps the slot of a cancelled run until the engine is done, and drops the result', async () => {
    const { model, instance, open } = setUp();
    const cancel = createCancelSource();
    const running = model.infer(request(), createContext({ cancel }));
    cancel.cancel('client-left');
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    const next = model.infer(request(), createContext());
    expect(instance.runs).toHaveLength(1);
    open[0]?.finish();
    await settled();
    expect(instance.runs).toHaveLength(2);
    open[1]?.finish();
    await next;
  });

  it('refuses when the line is full, and tells when it will have been served', async () => {
    const { model, open } = setUp({ maxWaiting: 2, computeNs: 50e6 });
    const first = model.infer(request(), createContext());
    open[0]?.finish();
    await first;
    await settled();
    const inside = [0, 1, 2].map(() => model.infer(request(), createContext()));
    await expect(model.infer(request(), createContext())).rejects.toMatchObject({
      code: 'OVERLOADED',
      retryAfterMs: 100,
    });
    for (const at of [1, 2, 3]) {
      open[at]?.finish();
      await settled();
    }
    await Promise.all(inside);
  });

  it('passes failures on, hides what is no error of ours, and goes on', async () => {
    const { model, open } = setUp();
    const failing = model.infer(request(), createContext());
    open[0]?.fail(new Error('native text'));
    const error = await failing.catch((thrown) => thrown);
    expect(error.code).toBe('INTERNAL');
    expect(error.message).not.toContain('native text');
    const next = model.infer(request(), createContext());
    open[1]?.finish();
    await next;
  });

  it('follows the health of its instance', async () => {
    const { model, instance, open } = setUp();
    const states: string[] = [];
    model.onState((state) => states.push(state));
    const running = model.infer(request(), createContext());
    const waiting = model.infer(request(), createContext());
    instance.setHealth('degraded');
    instance.setHealth('failed');
    await expect(waiting).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    await expect(model.infer(request(), createContext())).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    instance.setHealth('ready');
    expect(states).toEqual(['degraded', 'failed', 'ready']);
    open[0]?.finish();
    await running;
  });

  it('drains on close: what came before is answered, what comes after is not', async () => {
    const { model, instance, open, clock } = setUp();
    const running = model.infer(request(), createContext());
    const waiting = model.infer(request(), createContext());
    const closed = model.close({ graceMs: 1000 });
    expect(model.close({ graceMs: 1 })).toBe(closed);
    expect(model.state).toBe('draining');
    await expect(model.infer(request(), createContext())).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    open[0]?.finish();
    await running;
    await settled();
    expect(instance.drained).toBe(false);
    open[1]?.finish();
    await waiting;
    await closed;
    expect(instance.drained).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits no longer than the grace period', async () => {
    const { model, instance, open, clock } = setUp();
    const running = model.infer(request(), createContext());
    const waiting = model.infer(request(), createContext());
    const closed = model.close({ graceMs: 50 });
    clock.advance(50);
    await expect(waiting).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    await closed;
    expect(instance.drained).toBe(false);
    open[0]?.finish();
    await running;
    await settled();
    expect(instance.drained).toBe(true);
  });

  it('ends what outlasts the grace period where the instance can', async () => {
    const { model, instance, open, clock } = setUp();
    const kill = vi.fn(() => open[0]?.finish());
    Object.assign(instance, { kill });
    const running = model.infer(request(), createContext());
    const closed = model.close({ graceMs: 50 });
    expect(kill).not.toHaveBeenCalled();
    clock.advance(50);
    await closed;
    expect(kill).toHaveBeenCalledOnce();
    expect(instance.drained).toBe(true);
    await running;
  });

  it('offers no answer at once where its instance gives none', () => {
    expect(setUp().model).not.toHaveProperty('inferNow');
  });
});
