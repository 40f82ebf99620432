import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest } from '../../model/request.ts';
import { createRetry, type RetryOptions } from './retry.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A model that fails so often, then answers. */
function setUp(
  failures: number,
  options: RetryOptions = {},
  failure = new NimifyError('ENGINE_CRASHED', 'down'),
) {
  const clock = createFakeClock();
  const counts = { retried: 0, outOfBudget: 0 };
  let left = failures;
  const inner = createFakeModel({
    answer: () => {
      if (left === 0) return [];
      left -= 1;
      throw failure;
    },
  });
  const instruments = {
    retried: () => {
      counts.retried += 1;
    },
    outOfBudget: () => {
      counts.outOfBudget += 1;
    },
  };
  const model = createRetry({ clock, instruments }, options)(inner);
  const owner = createOwner();
  const request = createInferRequest({ model: 'fake', inputs: [], owner });
  return { clock, counts, inner, model, owner, request };
}

describe('createRetry', () => {
  it('tries again what crashed, after a time that is drawn', async () => {
    const { clock, counts, inner, model, owner, request } = setUp(1, { baseDelayMs: 100 });
    const answer = model.infer(request, createContext());
    await settled();
    expect(inner.requests).toHaveLength(1);
    expect(owner.holders).toBe(2);
    clock.advance(100);
    expect(await answer).toMatchObject({ model: 'fake' });
    expect(counts.retried).toBe(1);
    expect(owner.holders).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves a model alone that is being closed, and tells what went wrong', async () => {
    const { counts, inner, model, owner, request } = setUp(1);
    const answer = model.infer(request, createContext());
    inner.setState('draining');
    await expect(answer).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect([counts.retried, owner.holders]).toEqual([0, 1]);
  });

  it('gives up after its tries, with what went wrong', async () => {
    const { clock, inner, model, owner, request } = setUp(9, { maxTries: 3, baseDelayMs: 1, maxDelayMs: 1 });
    const answer = expect(model.infer(request, createContext())).rejects.toMatchObject({
      code: 'ENGINE_CRASHED',
    });
    for (let turn = 0; turn < 3; turn++) {
      await settled();
      clock.advance(1);
    }
    await answer;
    expect(inner.requests).toHaveLength(3);
    expect(owner.holders).toBe(1);
  });

  it.each(['INVALID_INPUT', 'ENGINE_FAILED', 'OVERLOADED', 'CIRCUIT_OPEN', 'DEADLINE_EXCEEDED'] as const)(
    'does not try again what failed with %s',
    async (code) => {
      const { inner, model, request } = setUp(1, {}, new NimifyError(code, 'no'));
      await expect(model.infer(request, createContext())).rejects.toMatchObject({ code });
      expect(inner.requests).toHaveLength(1);
    },
  );

  it('waits as long as the answer says, and not past the deadline', async () => {
    const failure = new NimifyError('STORE_UNAVAILABLE', 'later', { retryAfterMs: 2000 });
    const { clock, inner, model, request } = setUp(2, {}, failure);
    const answer = model.infer(request, createContext());
    await settled();
    clock.advance(1999);
    await settled();
    expect(inner.requests).toHaveLength(1);
    clock.advance(1);
    await answer.catch(() => {});
    expect(inner.requests).toHaveLength(2);

    const other = setUp(2, {}, failure);
    await expect(other.model.infer(other.request, createContext({ deadlineAtNs: 1999e6 }))).rejects.toBe(
      failure,
    );
    expect(other.inner.requests).toHaveLength(1);
  });

  it('does not try again a request of a sequence', async () => {
    const { inner, model, request } = setUp(1);
    const part = { ...request, sequence: { id: 1, start: true, end: false } };
    await expect(model.infer(part, createContext())).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(inner.requests).toHaveLength(1);
  });

  it('stops when the request is cancelled while it waits', async () => {
    const { clock, inner, model, owner, request } = setUp(1, { baseDelayMs: 100 });
    const cancel = createCancelSource();
    const answer = expect(model.infer(request, createContext({ cancel }))).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await settled();
    cancel.cancel('client-left');
    await answer;
    expect(clock.pendingTimers).toBe(0);
    expect(owner.holders).toBe(1);
    expect(inner.requests).toHaveLength(1);
  });

  it('gives up where the budget is spent, and counts it', async () => {
    const { clock, counts, inner, model, request } = setUp(100, {
      share: 0,
      minPerSecond: 1,
      baseDelayMs: 1,
    });
    for (let call = 0; call < 3; call++) {
      const answer = model.infer(request, createContext()).catch(() => {});
      await settled();
      clock.advance(1);
      await answer;
    }
    expect(inner.requests).toHaveLength(4);
    expect(counts).toEqual({ retried: 1, outOfBudget: 2 });
  });
});
