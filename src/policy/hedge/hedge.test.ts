import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import type { MembersModel } from '../../model/member.ts';
import { createInferRequest, type InferResponse } from '../../model/request.ts';
import { createHedge, type HedgeOptions } from './hedge.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Copy {
  readonly context: RequestContext;
  answer(response: InferResponse): void;
  fail(error: NimifyError): void;
}

function response(): InferResponse {
  return {
    ...{ model: 'fake', version: '1', id: '', outputs: [], parameters: {}, owner: createOwner() },
    report: { cache: 'none', computeNs: 0, cacheable: true },
  };
}

/** Members whose answers the test gives, past the time in which it is learned what is usual. */
async function setUp(options: HedgeOptions = {}) {
  const clock = createFakeClock();
  const counts = { sent: 0, won: 0 };
  const copies: Copy[] = [];
  let hasOther = true;
  const ask = (context: RequestContext) =>
    new Promise<InferResponse>((resolve, reject) => copies.push({ context, answer: resolve, fail: reject }));
  const members: MembersModel = {
    ...createFakeModel(),
    infer: (_, context) => ask(context),
    inferElsewhere: (_, context) => (hasOther ? ask(context) : undefined),
  };
  const instruments = {
    sent: () => {
      counts.sent += 1;
    },
    won: () => {
      counts.won += 1;
    },
  };
  const model = createHedge({ clock, instruments }, options)(members);
  const owner = createOwner();
  const request = createInferRequest({ model: 'fake', inputs: [], owner });
  for (let call = 0; call < 32; call++) {
    const answer = model.infer(request, createContext());
    clock.advance(10);
    copies.pop()!.answer(response());
    await answer;
  }
  return {
    clock,
    copies,
    counts,
    model,
    owner,
    request,
    loseOther: () => {
      hasOther = false;
    },
  };
}

describe('createHedge', () => {
  it('asks another one after the usual time, takes the first answer and cancels the other', async () => {
    const { clock, copies, counts, model, owner, request } = await setUp();
    const answer = model.infer(request, createContext());
    clock.advance(9.9);
    expect(copies).toHaveLength(1);
    clock.advance(0.2);
    expect(copies).toHaveLength(2);
    const [slow, quick] = copies as [Copy, Copy];
    const won = response();
    quick.answer(won);
    expect(await answer).toBe(won);
    expect(slow.context.cancel.cancelled).toBe(true);
    expect(owner.holders).toBe(2);
    const late = response();
    slow.answer(late);
    await settled();
    expect(late.owner.holders).toBe(0);
    expect(won.owner.holders).toBe(1);
    expect(owner.holders).toBe(1);
    expect(counts).toEqual({ sent: 1, won: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('asks nobody else where the answer comes in time, or no other has room', async () => {
    const { clock, copies, counts, model, request, loseOther } = await setUp();
    const first = model.infer(request, createContext());
    copies.pop()!.answer(response());
    await first;
    loseOther();
    const second = model.infer(request, createContext());
    clock.advance(1000);
    copies.pop()!.answer(response());
    await second;
    expect(copies).toHaveLength(0);
    expect(counts.sent).toBe(0);
  });

  it('waits for the other copy where one fails, and tells of the first failure where both do', async () => {
    const { clock, copies, model, owner, request } = await setUp({ share: 1 });
    const one = model.infer(request, createContext());
    clock.advance(11);
    copies[0]!.fail(new NimifyError('ENGINE_CRASHED', 'down'));
    await settled();
    copies[1]!.answer(response());
    await one;

    const other = model.infer(request, createContext());
    clock.advance(11);
    copies[2]!.fail(new NimifyError('ENGINE_CRASHED', 'down'));
    copies[3]!.fail(new NimifyError('ENGINE_FAILED', 'down, too'));
    await expect(other).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    expect(owner.holders).toBe(1);
  });

  it('sends no more second copies than its share', async () => {
    const { clock, copies, counts, model, request } = await setUp({ share: 0.05 });
    for (let call = 0; call < 400; call++) {
      const answer = model.infer(request, createContext());
      clock.advance(10.5);
      for (const copy of copies.splice(0)) copy.answer(response());
      await answer;
    }
    expect(counts.sent).toBeGreaterThan(0);
    expect(counts.sent).toBeLessThanOrEqual(0.05 * 432);
  });

  it('hands a cancellation on to both, and asks no second one for a sequence', async () => {
    const { clock, copies, model, request } = await setUp();
    const cancel = createCancelSource();
    const answer = model.infer(request, createContext({ cancel }));
    clock.advance(11);
    cancel.cancel('deadline');
    expect(copies.map(({ context }) => context.cancel.reason)).toEqual(['deadline', 'deadline']);
    for (const copy of copies.splice(0)) copy.fail(new NimifyError('DEADLINE_EXCEEDED', 'late'));
    await expect(answer).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });

    const part = model.infer({ ...request, sequence: { id: 1, start: true, end: true } }, createContext());
    clock.advance(1000);
    expect(copies).toHaveLength(1);
    copies[0]!.answer(response());
    await part;
  });
});
