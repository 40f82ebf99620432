import { beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../../base/telemetry/events.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import { createEscalation, DEFAULT_RULES, type Escalation } from './escalation.ts';

const CRASH: EventReport = { type: 'instance-crashed', model: 'm', version: '1', part: '0', message: 'died' };
const REPLACED: EventReport = { ...CRASH, type: 'instance-replaced', message: 'another one runs' };
const OPENED: EventReport = { type: 'breaker-opened', model: 'm', message: '12 of 20 calls failed' };
const CLOSED: EventReport = { type: 'breaker-closed', model: 'm', message: '5 probes answered' };
const MINUTE_MS = 60_000;

let clock: FakeClock;
let changes: string[];
let served: boolean;
let escalation: Escalation;

beforeEach(() => {
  clock = createFakeClock();
  changes = [];
  served = true;
  escalation = createEscalation({
    clock,
    isServed: () => served,
    onChange: ({ state, count }, change, { type }) => changes.push(`${type} ${change} ${state} ${count}`),
  });
});

function take(): readonly string[] {
  return changes.splice(0);
}

describe('an incident', () => {
  it('begins at the level of its event, and is resolved when what ended has stayed away', () => {
    escalation.report(CRASH);
    escalation.report(REPLACED);
    expect(take()).toEqual(['instance-crashed opened mitigating 1', 'instance-replaced ended mitigating 1']);
    clock.advance(MINUTE_MS - 1);
    expect(take()).toEqual([]);
    expect(escalation.open()).toHaveLength(1);
    clock.advance(1);
    expect(take()).toEqual(['instance-crashed resolved resolved 1']);
    expect(escalation.open()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rises where it does not end: degraded after a minute, to a person after ten more', () => {
    escalation.report(OPENED);
    clock.advance(MINUTE_MS);
    clock.advance(10 * MINUTE_MS - 1);
    expect(take()).toEqual(['breaker-opened opened mitigating 1', 'breaker-opened lasted degraded 1']);
    clock.advance(1);
    expect(take()).toEqual(['breaker-opened lasted paging 1']);
    clock.advance(1000 * MINUTE_MS);
    expect(take()).toEqual([]);
    escalation.report(CLOSED);
    clock.advance(MINUTE_MS);
    expect(take()).toEqual(['breaker-closed ended paging 1', 'breaker-opened resolved resolved 1']);
  });

  it('is one however often it is reported, and is timed from its beginning', () => {
    escalation.report(OPENED);
    clock.advance(MINUTE_MS / 2);
    escalation.report(OPENED);
    expect(take()).toEqual(['breaker-opened opened mitigating 1', 'breaker-opened repeated mitigating 2']);
    clock.advance(MINUTE_MS / 2);
    expect(take()).toEqual(['breaker-opened lasted degraded 2']);
  });

  it('is degraded at the third report in ten minutes, and for a person at the tenth, though each is over soon', () => {
    for (let crash = 0; crash < 10; crash += 1) {
      escalation.report(CRASH);
      escalation.report(REPLACED);
      clock.advance(10_000);
    }
    expect(take().filter((change) => !/ended|repeated/.test(change))).toEqual([
      'instance-crashed opened mitigating 1',
      'instance-crashed raised degraded 3',
      'instance-crashed raised paging 10',
    ]);
  });

  it('does not count what lies longer back', () => {
    for (let crash = 0; crash < 6; crash += 1) {
      escalation.report(CRASH);
      escalation.report(REPLACED);
      clock.advance(6 * MINUTE_MS);
    }
    expect(take().some((change) => change.includes('degraded'))).toBe(false);
  });

  it('has to stay away twice as long each time that it comes again', () => {
    escalation.report(OPENED);
    escalation.report(CLOSED);
    clock.advance(MINUTE_MS - 1);
    escalation.report(OPENED);
    escalation.report(CLOSED);
    clock.advance(2 * MINUTE_MS - 1);
    expect(take().some((change) => change.includes('resolved'))).toBe(false);
    clock.advance(1);
    expect(take()).toEqual(['breaker-opened resolved resolved 2']);
  });

  it('does not rise while it is only waited for that it stays away', () => {
    escalation.report(OPENED);
    clock.advance(MINUTE_MS - 1);
    escalation.report(CLOSED);
    clock.advance(MINUTE_MS);
    expect(take().at(-1)).toBe('breaker-opened resolved resolved 1');
  });

  it('that nothing ends is resolved when it stays away', () => {
    escalation.report({ type: 'poison-request', model: 'm', part: 'ab12', message: 'two crashes' });
    clock.advance(5 * MINUTE_MS);
    expect(take()).toEqual(['poison-request opened mitigating 1', 'poison-request resolved resolved 1']);
  });

  it('rises no higher by itself than its event may, but as high as it is reported', () => {
    const burn: EventReport = { type: 'slo-burn', model: 'm', part: 'latency', message: 'fast' };
    escalation.report(burn);
    clock.advance(1000 * MINUTE_MS);
    for (let times = 0; times < 20; times += 1) escalation.report(burn);
    expect(take().filter((change) => !change.includes('repeated'))).toEqual(['slo-burn opened degraded 1']);
    escalation.report({ ...burn, level: 'paging' });
    expect(take()).toEqual(['slo-burn raised paging 22']);
  });

  it('is told apart by model, version and part', () => {
    for (const part of ['0', '1']) escalation.report({ ...CRASH, part });
    escalation.report({ ...CRASH, version: '2' });
    expect(escalation.open().map(({ count }) => count)).toEqual([1, 1, 1]);
  });

  it('of a model that is gone is over instead of rising', () => {
    escalation.report(OPENED);
    served = false;
    clock.advance(MINUTE_MS);
    expect(take()).toEqual(['breaker-opened opened mitigating 1', 'breaker-opened resolved resolved 1']);
  });

  it('is taken note of where only its end is seen', () => {
    escalation.report({ type: 'config-reloaded', message: 'read nimify.yaml' });
    expect(take()).toEqual(['config-reloaded noted resolved 1']);
    expect(clock.pendingTimers).toBe(0);
  });
});

it('holds no more incidents than it may: the one that was longest not heard of is given up', () => {
  escalation = createEscalation(
    {
      clock,
      isServed: () => true,
      onChange: ({ part }, change) => changes.push(`${part} ${change}`),
    },
    { ...DEFAULT_RULES, mostOpen: 2 },
  );
  for (const part of ['0', '1', '0', '2']) escalation.report({ ...CRASH, part });
  expect(take()).toEqual(['0 opened', '1 opened', '0 repeated', '1 resolved', '2 opened']);
  escalation.stop();
  escalation.report({ ...CRASH, part: '3' });
  expect(take()).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
