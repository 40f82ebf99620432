import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { passTime } from '../../base/util/fake-time.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest, type InferResponse } from '../../model/request.ts';
import type { Load } from './contract.ts';
import { createFakeSubject, type FakeSubjectOptions } from './fake-subject.ts';
import { observe, percentileOf } from './observe.ts';

const request = createInferRequest({ model: 'm', inputs: [] });
const plan = { host: 'thread', instances: 2, intraOpThreads: 1 } as const;
const closed = (clients: number): Load => ({ kind: 'closed', clients });

async function observed(
  load: Load,
  { seconds = 2, ...options }: Partial<FakeSubjectOptions> & { readonly seconds?: number } = {},
) {
  const clock = createFakeClock();
  const { batched } = await createFakeSubject({ clock, runMs: () => 20, ...options }).open(plan);
  const input = { model: batched('off'), request, load, durationNs: seconds * 1e9, percentile: 95, clock };
  return passTime(clock, observe(input));
}

describe('observe', () => {
  it('counts what clients get that wait for their answers', async () => {
    const one = await observed(closed(1));
    expect(one.latencyMs.p50).toBeCloseTo(20, 0);
    expect(one.throughputPerS).toBeGreaterThan(40);
    const many = await observed(closed(4));
    // Two run at once, so four wait twice as long, and get twice as much as one.
    expect(many.latencyMs.p50 / one.latencyMs.p50).toBeCloseTo(2, 0);
    expect(many.throughputPerS / one.throughputPerS).toBeCloseTo(2, 0);
  });

  it('gives every client one answer where no time is given', async () => {
    expect(await observed(closed(3), { seconds: 0 })).toMatchObject({ answers: 3, refused: 0 });
  });

  it('sends requests at the rate that is asked for, answered or not', async () => {
    const { answers, latencyMs } = await observed({ kind: 'open', perSecond: 50 }, { seconds: 20 });
    expect(answers).toBeGreaterThan(900);
    expect(answers).toBeLessThan(1100);
    expect(latencyMs.p50).toBeLessThan(40);
    expect(latencyMs.asked).toBeGreaterThan(latencyMs.p50);
    const over = await observed({ kind: 'open', perSecond: 200 }, { seconds: 2 });
    expect(over.throughputPerS).toBeLessThan(105);
    expect(over.latencyMs.p99).toBeGreaterThan(1000);
  });

  it('counts what is refused for load, and lets a client stay away for as long as it is told', async () => {
    const { answers, refused } = await observed(closed(6), { maxWaiting: 1 });
    expect(refused).toBeGreaterThan(10);
    expect(refused).toBeLessThan(2000 * 6);
    expect(answers).toBeGreaterThan(150);
  });

  it('ends with the error of a model that fails', async () => {
    const clock = createFakeClock();
    const failing = createFakeModel({
      answer: () => Promise.reject(new NimifyError('ENGINE_FAILED', 'broken')),
    });
    for (const load of [closed(2), { kind: 'open', perSecond: 100 } as const]) {
      const input = { model: failing, request, load, durationNs: 1e9, percentile: 99, clock };
      await expect(passTime(clock, observe(input))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    }
  });

  it('takes answers that are there at once, and lets go of all of them', async () => {
    const clock = createFakeClock();
    let held = 0;
    let turns = 0;
    const answer = (): InferResponse => {
      held += 1;
      const report = { cache: 'none', computeNs: 0, cacheable: true } as const;
      const owner = createOwner(() => {
        held -= 1;
      });
      return { model: 'm', version: '1', id: '', outputs: [], parameters: {}, report, owner };
    };
    const model = createFakeModel({
      answer,
      answerNow: () => {
        turns += 1;
        return turns % 2 === 0 ? answer() : undefined;
      },
    });
    const input = { model, request, load: closed(1), durationNs: 20e6, percentile: 99, clock };
    const { answers } = await passTime(clock, observe(input));
    expect(answers).toBe(turns);
    expect(answers).toBeGreaterThan(1);
    expect(held).toBe(0);
  });
});

describe('percentileOf', () => {
  it.each([
    [[1, 2, 3, 4], 50, 2],
    [[1, 2, 3, 4], 51, 3],
    [[1, 2, 3, 4], 99, 4],
    [[5], 50, 5],
    [[], 99, Number.POSITIVE_INFINITY],
  ])('of %j, %d is %d', (sorted, percentile, expected) => {
    expect(percentileOf(Float64Array.from(sorted), percentile)).toBe(expected);
  });
});
