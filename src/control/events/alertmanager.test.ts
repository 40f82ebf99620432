import { hostname } from 'node:os';
import { beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../../base/telemetry/events.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createFakeClock, type FakeClock } from '../../base/util/fake-clock.ts';
import { passTime } from '../../base/util/fake-time.ts';
import { createAlertmanager } from './alertmanager.ts';
import type { EventLog } from './contract.ts';
import { createEventLog } from './event-log.ts';
import type { Posted } from './post-json.ts';
import type { OutwardSink } from './webhook.ts';

const DEGRADED: EventReport = {
  type: 'model-degraded',
  model: 'm',
  version: '1',
  message: 'no instance lives',
};
const RECOVERED: EventReport = { ...DEGRADED, type: 'model-recovered', message: 'answers again' };
const MINUTE_MS = 60_000;

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
}

let clock: FakeClock;
let posts: Alert[][];
let answers: Posted[];
let events: EventLog;
let sink: OutwardSink;

beforeEach(() => {
  clock = createFakeClock();
  [posts, answers] = [[], []];
  const counter = { inc() {} };
  sink = createAlertmanager('http://am:9093/', {
    clock,
    isOneOfMany: false,
    taken: counter,
    failed: counter,
    async post(url, body) {
      expect(url).toBe('http://am:9093/api/v2/alerts');
      posts.push(JSON.parse(body) as Alert[]);
      return answers.shift() ?? 'taken';
    },
  });
  events = createEventLog({ clock, log: SILENT, sinks: [sink], isServed: () => true });
});

async function turn(ms = 0): Promise<void> {
  for (let index = 0; index < 3; index += 1) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(ms);
  for (let index = 0; index < 3; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

function shown(): readonly string[] {
  const nowMs = clock.wallMs();
  return posts
    .splice(0)
    .map((alerts) =>
      alerts
        .map(({ labels, endsAt }) => `${labels.severity} ${Date.parse(endsAt) > nowMs ? 'fires' : 'over'}`)
        .join(', '),
    );
}

describe('an Alertmanager', () => {
  it('gets what is degraded, with all that one needs to know', async () => {
    events.report({ ...DEGRADED, done: 'restarts it' });
    await turn();
    expect(posts).toEqual([
      [
        {
          labels: {
            alertname: 'NimifyModelDegraded',
            severity: 'warning',
            service: 'nimify',
            instance: hostname(),
            condition: 'model',
            model: 'm',
            version: '1',
          },
          annotations: {
            summary: expect.stringContaining('a model cannot answer'),
            description: 'no instance lives',
            done: 'restarts it',
            runbook_url: expect.stringMatching(/model-degraded\.md$/),
          },
          startsAt: '1970-01-01T00:00:00.000Z',
          endsAt: '1970-01-01T00:04:00.000Z',
        },
      ],
    ]);
  });

  it('hears nothing of what the server deals with by itself', async () => {
    events.report({ type: 'breaker-opened', model: 'm', message: 'x' });
    events.report({ type: 'breaker-closed', model: 'm', message: 'x' });
    await turn(10 * MINUTE_MS);
    expect(posts).toEqual([]);
  });

  it('is told again each minute, so that it does not take the alert for over', async () => {
    events.report(DEGRADED);
    await turn();
    for (let minute = 0; minute < 3; minute += 1) await turn(MINUTE_MS);
    expect(shown()).toEqual(['warning fires', 'warning fires', 'warning fires', 'warning fires']);
  });

  it('gets another alert in place of the first where it goes to a person, and the end of that', async () => {
    events.report(DEGRADED);
    await turn();
    shown();
    events.report({ ...DEGRADED, level: 'paging' });
    await turn();
    expect(shown()).toEqual(['warning over, critical fires']);
    events.report(RECOVERED);
    await turn(MINUTE_MS);
    await turn(30 * MINUTE_MS);
    expect(shown().at(-1)).toBe('critical over');
    expect(clock.pendingTimers).toBe(0);
  });

  it('that was away is told how things are now', async () => {
    answers = Array<Posted>(3).fill({ reason: 'ECONNREFUSED', mayRetry: true });
    events.report(DEGRADED);
    await turn();
    events.report({ ...DEGRADED, model: 'n' });
    events.report(RECOVERED);
    await turn(2 * MINUTE_MS);
    while (answers.length > 0) await turn(MINUTE_MS);
    for (let minute = 0; minute < 3; minute += 1) await turn(MINUTE_MS);
    // What has ended meanwhile is said until it is taken, once.
    expect(shown().slice(-2)).toEqual(['warning fires', 'warning fires']);
  });

  it('is told of what has ended before the server ends, and of the rest not again', async () => {
    events.report(DEGRADED);
    await turn();
    shown();
    await passTime(clock, sink.close(1000), 10);
    expect(shown()).toEqual([]);
    expect(clock.pendingTimers).toBe(1); // the escalation's own
  });
});
