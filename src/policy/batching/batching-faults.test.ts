import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import type { InferRequest } from '../../model/request.ts';
import { createBatching } from './batching.ts';
import { createFakeBackend, pass, rowRequest, settled } from './fake-backend.ts';
import { setUp } from './fake-batching.ts';
import { createFakeCosts } from './fake-costs.ts';

describe('createBatching, where something goes wrong', () => {
  it('lets one bad request fail alone', async () => {
    const { ask, backend, clock } = setUp();
    ask(rowRequest(0, 1));
    const asked = [1, 2, 3, 4, 5].map((id) => ask(rowRequest(id, 1, { text: id === 4 ? 'bad' : 'row' })));
    const behind = ask(rowRequest(6, 8));
    await pass(clock, 200);
    expect(asked.map(({ error }) => error?.code)).toEqual([
      ...[undefined, undefined, undefined, 'INVALID_INPUT', undefined],
    ]);
    // In halves, and before those who wait.
    expect(backend.runs.map(({ rows }) => rows)).toEqual([1, 5, 2, 3, 1, 2, 1, 1, 8]);
    expect(behind.response).toBeDefined();
    expect(backend.unreleased).toBe(5);
  });

  it('tells all of a run what no smaller run would mend', async () => {
    const { ask, clock, backend } = setUp();
    const failing = Object.assign(backend, {
      infer: async () => {
        throw new NimifyError('MODEL_NOT_READY', 'not now');
      },
    });
    expect(failing).toBe(backend);
    const asked = [0, 1, 2].map((id) => ask(rowRequest(id, 1)));
    await pass(clock, 20);
    expect(asked.map(({ error }) => error?.code)).toEqual(asked.map(() => 'MODEL_NOT_READY'));
  });

  it('makes smaller runs where the engine has no memory for large ones', async () => {
    const clock = createFakeClock();
    const backend = createFakeBackend(clock, () => 1e6);
    const small = {
      ...backend,
      infer: (request: InferRequest, context: RequestContext) =>
        request.inputs[0]!.shape[0]! > 5
          ? Promise.reject(new NimifyError('ENGINE_FAILED', 'no memory'))
          : backend.infer(request, context),
    };
    const costs = createFakeCosts({ fixedNs: 1e6, perRowNs: 0 });
    const model = createBatching({ clock, costs }, { slots: 1, maxBatchRows: 8, maxDelayMs: 0 })(small);
    const answers = Array.from({ length: 41 }, (_, id) => model.infer(rowRequest(id, 1), createContext()));
    await pass(clock, 100);
    expect(await Promise.all(answers)).toHaveLength(41);
    expect(backend.runs.slice(-6).map(({ rows }) => rows)).toEqual([4, 4, 4, 4, 4, 4]);
  });

  it('answers who leaves the queue or a run at once; the run is cancelled when all have left', async () => {
    const { ask, backend, clock, told } = setUp();
    const cancels = [0, 1, 2, 3].map(() => createCancelSource());
    const asked = cancels.map((cancel, id) => ask(rowRequest(id, 1), { cancel }));
    cancels[3]!.cancel('client-left');
    await settled();
    expect(asked[3]).toMatchObject({ atMs: 0, error: { code: 'CANCELLED' } });
    await pass(clock, 12);
    expect(backend.runs[1]!.rows).toBe(2);
    const { cancel } = backend.runs[1]!.context;
    cancels[1]!.cancel('client-left');
    await settled();
    expect(asked[1]).toMatchObject({ atMs: 12, error: { code: 'CANCELLED' } });
    expect(cancel.cancelled).toBe(false);
    cancels[2]!.cancel('shutdown');
    expect(cancel).toMatchObject({ cancelled: true, reason: 'shutdown' });
    await pass(clock, 30);
    expect(backend.unreleased).toBe(1);
    expect(told).toEqual(['cancelled', 'cancelled', 'cancelled']);
  });

  it('learns nothing from a run that may have waited for a cancelled one', async () => {
    const { backend, clock, costs, model } = setUp();
    const cancel = createCancelSource();
    const leaving = { ...backend, infer: async () => Promise.reject(new NimifyError('CANCELLED', 'left')) };
    expect(leaving.kind).toBe('fake');
    const original = backend.infer.bind(backend);
    backend.infer = leaving.infer;
    await expect(model.infer(rowRequest(0, 1), createContext({ cancel }))).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    backend.infer = original;
    for (const id of [1, 2]) {
      void model.infer(rowRequest(id, 1), createContext());
      await pass(clock, 11);
    }
    expect(costs.observed).toHaveLength(1);
  });

  it('works the queue off before it closes, for as long as it may', async () => {
    const { ask, backend, clock, model } = setUp({ maxBatchRows: 2 });
    const states: string[] = [];
    model.onState((state) => states.push(state));
    const asked = [0, 1, 2, 3, 4, 5, 6].map((id) => ask(rowRequest(id, 1)));
    await pass(clock, 1);
    const closed = model.close({ graceMs: 30 });
    expect(model.state).toBe('draining');
    expect(states).toEqual(['draining']);
    const late = ask(rowRequest(7, 1));
    await pass(clock, 60);
    await closed;
    expect(late.error).toMatchObject({ code: 'MODEL_NOT_READY' });
    expect(asked.map(({ error }) => error?.code)).toEqual([
      ...[undefined, undefined, undefined, undefined, undefined, 'MODEL_NOT_READY', 'MODEL_NOT_READY'],
    ]);
    expect(backend.closedWith).toEqual({ graceMs: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('closes at once where nobody waits or runs', async () => {
    const { backend, clock, model } = setUp();
    await model.close({ graceMs: 1000 });
    expect(backend.closedWith).toEqual({ graceMs: 1000 });
    expect(clock.pendingTimers).toBe(0);
  });
});
