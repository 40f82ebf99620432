import { beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../../base/telemetry/events.ts';
import type { LogFields, Logger } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import type { EventLog, EventRecord, Notify } from './contract.ts';
import { createEventLog } from './event-log.ts';
import { openEvents } from './open-events.ts';
import { selectRecords, worstFirst } from './select-records.ts';

const CRASH: EventReport = {
  type: 'instance-crashed',
  model: 'm',
  version: '1',
  part: '0',
  message: 'died of SIGSEGV with 2 runs',
  done: 'restarts it in 120 ms',
  details: { signal: 'SIGSEGV', runs: 2 },
};

let clock: FakeClock;
let logged: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
let log: Logger;

beforeEach(() => {
  clock = createFakeClock();
  logged = [];
  const at = (level: string) => (fields: LogFields, message: string) =>
    void logged.push({ level, fields, message });
  log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
});

function open(...sinks: Notify[]): EventLog {
  return createEventLog({ clock, log, sinks, isServed: () => true });
}

describe('the list', () => {
  it('holds what happened, to whom, what was done about it, and where to read on', () => {
    const events = open();
    clock.advance(1000);
    events.report(CRASH);
    expect(events.list()).toEqual([
      {
        id: 1,
        process: process.pid,
        time: '1970-01-01T00:00:01.000Z',
        type: 'instance-crashed',
        state: 'mitigating',
        change: 'opened',
        model: 'm',
        version: '1',
        part: '0',
        message: 'died of SIGSEGV with 2 runs',
        done: 'restarts it in 120 ms',
        count: 1,
        since: '1970-01-01T00:00:01.000Z',
        details: { signal: 'SIGSEGV', runs: 2 },
        runbook: expect.stringMatching(/^https:.*\/docs\/runbooks\/instance-crashed\.md$/),
      },
    ]);
    expect(events.open()).toEqual(events.list());
  });

  it('has one line, with a count, for what is reported over and over', () => {
    const events = open();
    for (let times = 0; times < 500; times += 1) events.report({ type: 'slo-burn', message: 'fast' });
    expect(events.list().map(({ change, count }) => [change, count])).toEqual([
      ['opened', 1],
      ['repeated', 500],
    ]);
  });

  it('keeps the latest thousand', () => {
    const events = open();
    for (let index = 0; index < 1500; index += 1) events.report({ type: 'config-reloaded', message: 'x' });
    expect(events.list()).toHaveLength(1000);
    expect(events.list()[0]?.id).toBe(501);
  });

  it('lists the worst of what is open first', () => {
    const events = open();
    events.report({ type: 'instance-recycled', model: 'a', message: 'x' });
    clock.advance(1);
    events.report(CRASH);
    events.report({ type: 'model-degraded', model: 'm', message: 'x' });
    expect(events.open().map(({ state }) => state)).toEqual(['degraded', 'mitigating', 'noticed']);
    clock.advance(3_600_000);
    expect(events.open().map(({ type, state }) => [type, state])).toEqual([
      ['model-degraded', 'paging'],
      ['instance-crashed', 'paging'],
    ]);
  });
});

describe('records of several processes', () => {
  const record = (
    process: number,
    id: number,
    time: string,
    more: Partial<EventRecord> = {},
  ): EventRecord => ({
    ...{ id, process, time, since: time, type: 'slo-burn', state: 'degraded', change: 'opened' },
    ...{ message: '', count: 1, runbook: '', model: 'm' },
    ...more,
  });
  const all = [
    record(1, 1, '2026-01-01T00:00:01.000Z'),
    record(1, 2, '2026-01-01T00:00:03.000Z', { model: 'n', state: 'paging' }),
    record(2, 1, '2026-01-01T00:00:02.000Z', { type: 'crash-loop' }),
  ];
  const ids = (records: readonly EventRecord[]) => records.map(({ process, id }) => `${process}.${id}`);

  it('are listed by time, from where each was read to', () => {
    expect(ids(selectRecords(all, {}))).toEqual(['1.1', '2.1', '1.2']);
    expect(ids(selectRecords(all, { after: { 1: 1 } }))).toEqual(['2.1', '1.2']);
    expect(ids(selectRecords(all, { limit: 1 }))).toEqual(['1.2']);
    expect(ids(selectRecords(all, { limit: 0 }))).toEqual([]);
    expect(ids(worstFirst(all))).toEqual(['1.2', '1.1', '2.1']);
  });

  it('are chosen by type, model and state', () => {
    expect(ids(selectRecords(all, { types: ['crash-loop'] }))).toEqual(['2.1']);
    expect(ids(selectRecords(all, { model: 'n' }))).toEqual(['1.2']);
    expect(ids(selectRecords(all, { states: ['degraded', 'resolved'], model: 'm' }))).toEqual(['1.1', '2.1']);
  });
});

describe('who is told', () => {
  it('is told what began, rose and was resolved, and is not told anything twice', () => {
    const told: string[] = [];
    const events = open({ changed: ({ state }, { change }) => told.push(`${change} ${state}`) });
    for (let times = 0; times < 3; times += 1) events.report(CRASH);
    events.report({ ...CRASH, type: 'instance-replaced', message: 'runs' });
    clock.advance(3_600_000);
    expect(told).toEqual(['opened mitigating', 'raised degraded', 'resolved resolved']);
  });

  it('never makes the one who reports fail', () => {
    const events = open({
      recorded() {
        throw new Error('no');
      },
    });
    events.report(CRASH);
    expect(logged).toMatchObject([{ level: 'error', fields: { event: 'instance-crashed' } }]);
  });

  it('finds it in the log and the metrics', async () => {
    const metrics = createMetricsRegistry();
    const events = await openEvents({}, { clock, log, metrics, isServed: () => true, isOneOfMany: false });
    for (let times = 0; times < 2; times += 1) events.report(CRASH);
    clock.advance(660_000);
    expect(logged.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn died of SIGSEGV with 2 runs',
      'debug died of SIGSEGV with 2 runs',
      'warn died of SIGSEGV with 2 runs (and for 1 min it has not ended)',
      'error died of SIGSEGV with 2 runs (and for 10 min it has not ended)',
    ]);
    expect(logged[0]?.fields).toMatchObject({ event: 'instance-crashed', model: 'm', part: '0' });
    const text = metrics.render();
    expect(text).toContain('nimify_events_total{type="instance-crashed",model="m"} 2\n');
    expect(text).toContain('nimify_incidents{condition="instance",state="paging"} 1\n');
    expect(text).toContain('nimify_incidents{condition="instance",state="degraded"} 0\n');
    await events.close({ graceMs: 0 });
    expect(events.isDraining).toBe(true);
  });
});
