import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { passTime } from '../../base/util/fake-time.ts';
import { type CompareInput, type Contender, compareInTurns } from './compare.ts';
import { createFakeSubject, type FakeSubjectOptions } from './fake-subject.ts';

const contender = (intraOpThreads: number, clients = 4): Contender => ({
  setting: { plan: { host: 'thread', instances: 1, intraOpThreads }, batching: 'off' },
  load: { kind: 'closed', clients },
});
const [one, two] = [contender(1), contender(2)];

function compare(runMs: FakeSubjectOptions['runMs'], more: Partial<CompareInput> = {}) {
  const clock = createFakeClock();
  const subject = createFakeSubject({ clock, runMs });
  const input = { subject, target: 'balanced', percentile: 99, clock, lookNs: 2e9, ...more } as const;
  return { subject, compared: passTime(clock, compareInTurns(one, two, input)) };
}

describe('compareInTurns', () => {
  it('tells what both give, and closes what it opened', async () => {
    const { subject, compared } = compare(({ intraOpThreads }) => (intraOpThreads === 1 ? 20 : 10));
    const { first, other, ...rest } = await compared;
    expect(rest).toEqual({ isBetter: true, isSteady: true });
    expect([first.latencyMs, other.latencyMs]).toEqual([20, 10]);
    expect([Math.round(first.throughputPerS), Math.round(other.throughputPerS)]).toEqual([50, 100]);
    expect(subject.openNow).toBe(0);
    expect(subject.opened.map(({ intraOpThreads }) => intraOpThreads)).toEqual([1, 2, 1, 2]);
  });

  it.each<[string, FakeSubjectOptions['runMs'], CompareInput['target']]>([
    ['is alike', () => 20, 'balanced'],
    ['is better by less than can be known', ({ intraOpThreads }) => 100 - 2 * intraOpThreads, 'throughput'],
    ['takes more cores than it is worth', ({ intraOpThreads }) => 21 - intraOpThreads, 'cost'],
  ])('stays with the first where the other %s', async (_why, runMs, target) => {
    expect(await compare(runMs, { target }).compared).toMatchObject({ isBetter: false, isSteady: true });
  });

  it('says where looks at one setting disagree', async () => {
    let runs = 0;
    const busyAtFirst = () => (runs++ < 100 ? 60 : 20);
    expect(await compare(busyAtFirst).compared).toMatchObject({ isSteady: false });
  });
});
