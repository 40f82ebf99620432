import { describe, expect, it } from 'vitest';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext } from '../../model/context.ts';
import { createInferRequest } from '../../model/request.ts';
import { type BalancerOptions, createBalancer } from './balancer.ts';
import { createFakeMember, type FakeMember } from './fake-members.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const ask = () => createInferRequest({ model: 'fake', inputs: [] });
const context = createContext();

function setUp(count = 2, slots = 1, options: BalancerOptions = {}) {
  const clock = createFakeClock();
  const members = Array.from({ length: count }, (_, index) => createFakeMember(String(index), slots));
  const model = createBalancer({ clock }, options)(members as unknown as [FakeMember, ...FakeMember[]]);
  const counts = () => members.map(({ runs }) => runs.length);
  return { clock, members, model, counts };
}

/** Fails every run of a member until it is ejected. */
async function fail({ members, model }: ReturnType<typeof setUp>, which: number): Promise<void> {
  for (let round = 0; round < 12; round++) {
    const answers = [model.infer(ask(), context), model.infer(ask(), context)].map((one) =>
      one.catch(() => {}),
    );
    await settled();
    for (const [index, member] of members.entries()) {
      for (const run of [...member.runs]) index === which ? run.fail() : run.answer();
    }
    await settled();
    for (const member of members) for (const run of [...member.runs]) run.answer();
    await Promise.all(answers);
  }
}

describe('createBalancer', () => {
  it('gives requests to who has fewest, and lets the others wait their turn', async () => {
    const { members, model, counts } = setUp(2, 2);
    const answers = Array.from({ length: 6 }, () => model.infer(ask(), context));
    await settled();
    expect(counts()).toEqual([2, 2]);
    members[1]!.runs[0]!.answer();
    await settled();
    expect(counts()).toEqual([2, 2]);
    for (let turn = 0; turn < 3; turn++) {
      for (const member of members) for (const run of [...member.runs]) run.answer();
      await settled();
    }
    await Promise.all(answers);
    expect(members.map(({ model: { requests } }) => requests.length)).toEqual([3, 3]);
  });

  it('gives nothing to a member that does worse than the others, until its time is over', async () => {
    const given = setUp();
    await fail(given, 0);
    const { clock, members, model, counts } = given;
    const before = members[0]!.model.requests.length;
    const first = model.infer(ask(), context);
    const second = model.infer(ask(), context);
    await settled();
    expect(counts()).toEqual([0, 1]);
    expect(members[0]!.model.requests).toHaveLength(before);
    // The other one is busy, and nothing else happens: the end of the ejection lets the second one in.
    clock.advance(10_000);
    await settled();
    expect(counts()).toEqual([1, 1]);
    for (const member of members) member.runs[0]!.answer();
    await Promise.all([first, second]);
  });

  it('asks ejected members too where too few others are there', async () => {
    const given = setUp();
    await fail(given, 0);
    const { members, model, counts } = given;
    members[1]!.setReady(false);
    const answer = model.infer(ask(), context);
    await settled();
    expect(counts()).toEqual([1, 0]);
    members[0]!.runs[0]!.answer();
    await answer;
  });

  it('waits for a member that is being replaced, and refuses where none comes back', async () => {
    const { members, model } = setUp();
    for (const member of members) member.setReady(false);
    expect(model.state).toBe('degraded');
    const answer = model.infer(ask(), context);
    await settled();
    members[1]!.setReady(true);
    await settled();
    members[1]!.runs[0]!.answer();
    await answer;
    members[1]!.setReady(false);
    const waiting = expect(model.infer(ask(), context)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    for (const member of members) member.model.setState('failed');
    await waiting;
    expect(model.state).toBe('failed');
    await expect(model.infer(ask(), context)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  it('lets who is cancelled leave the line', async () => {
    const { members, model } = setUp(2);
    const running = [model.infer(ask(), context), model.infer(ask(), context)];
    const cancel = createCancelSource();
    const waiting = expect(model.infer(ask(), createContext({ cancel }))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    cancel.cancel('deadline');
    await waiting;
    for (const member of members) member.runs[0]!.answer();
    await Promise.all(running);
    expect(members.flatMap(({ model: { requests } }) => requests)).toHaveLength(2);
  });

  it('asks another member than the one that has the request', async () => {
    const { members, model, counts } = setUp(2, 4);
    const request = ask();
    const first = model.infer(request, context);
    const second = model.inferElsewhere(request, context);
    expect(second).toBeDefined();
    expect(counts()).toEqual([1, 1]);
    members[1]!.setReady(false);
    const other = ask();
    const alone = model.infer(other, context);
    expect(model.inferElsewhere(other, context)).toBeUndefined();
    for (const member of members) for (const run of [...member.runs]) run.answer();
    await Promise.all([first, second, alone]);
  });

  it('lets those who wait be answered before it closes, for a while', async () => {
    const { members, model, clock } = setUp(2);
    const answers = [0, 1, 2].map(() => model.infer(ask(), context));
    const closing = model.close({ graceMs: 1000 });
    await expect(model.infer(ask(), context)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    members[0]!.runs[0]!.answer();
    await settled();
    members[0]!.runs[0]!.answer();
    members[1]!.runs[0]!.answer();
    await Promise.all([...answers, closing]);
    expect(members.map((member) => member.model.closedWith)).toEqual([{ graceMs: 1000 }, { graceMs: 1000 }]);
    expect(clock.pendingTimers).toBe(0);
  });
});
