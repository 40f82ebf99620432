import { describe, expect, it } from 'vitest';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createContext } from '../../model/context.ts';
import { computeRows, pass, rowRequest, valuesOf } from './fake-backend.ts';
import { setUp } from './fake-batching.ts';

describe('createBatching, over a model that answers at once', () => {
  it('asks it at once where nobody waits, and learns from the answer', async () => {
    const { backend, costs, model } = setUp({ isInline: true });
    const request = rowRequest(1, 1);
    const response = model.inferNow!(request, createContext())!;
    expect(backend.requests[0]).toBe(request);
    expect(valuesOf(response.outputs)).toEqual(valuesOf(computeRows(request)));
    expect(costs.observed).toEqual([{ rows: 1, ns: 11e6 }]);
  });

  it('does not where others wait, and joins what one turn of the event loop brings', async () => {
    const { ask, backend, clock, model } = setUp({ isInline: true });
    // Requests come in tens. Once that is known they are gathered.
    for (let turn = 0; turn < 20; turn++) {
      for (let at = 0; at < 10; at++) {
        const request = rowRequest(10 * turn + at, 1);
        const now = model.inferNow!(request, createContext());
        if (now === undefined) ask(request);
        else now.owner.release();
      }
      await pass(clock, 1);
    }
    expect(backend.runs.slice(0, 10).every(({ rows }) => rows === 1)).toBe(true);
    expect(backend.runs.slice(-2).map(({ rows }) => rows)).toEqual([8, 2]);
  });

  it('runs what was gathered in buffers that are used again when the answers are released', async () => {
    const { ask, clock, backend, model } = setUp({ isInline: true, paddedRows: [2] });
    expect(model.inferNow!(rowRequest(9, 1), createContext())).toBeUndefined();
    const first = ask(rowRequest(1, 1));
    await pass(clock, 1);
    const held = ask(rowRequest(2, 1));
    await pass(clock, 1);
    first.response!.owner.release();
    const third = ask(rowRequest(3, 1));
    await pass(clock, 1);
    const buffers = backend.requests.map(({ inputs }) => inputs[0]!.data);
    expect(buffers[1]).not.toBe(buffers[0]);
    expect(buffers[2]).toBe(buffers[0]);
    for (const { request, response } of [held, third])
      expect(valuesOf(response!.outputs)).toEqual(valuesOf(computeRows(request)));
  });

  it('refuses at once what has been cancelled or comes too late to be served', async () => {
    const { model } = setUp({ isInline: true });
    const cancel = createCancelSource();
    cancel.cancel('client-left');
    expect(() => model.inferNow!(rowRequest(1, 1), createContext({ cancel }))).toThrow(/client left/);
    await model.close({ graceMs: 0 });
    expect(() => model.inferNow!(rowRequest(1, 1), createContext())).toThrow(/takes no requests/);
  });

  it('has no such way where the model has none', () => {
    expect(setUp().model.inferNow).toBeUndefined();
  });
});
