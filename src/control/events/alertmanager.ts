import { hostname } from 'node:os';
import { EVENT_TYPES } from '../../base/telemetry/events.ts';
import type { Counter } from '../../base/telemetry/metrics.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { EventRecord, Incident } from './contract.ts';
import type { PostJson } from './post-json.ts';
import type { OutwardSink } from './webhook.ts';

export interface AlertmanagerDeps {
  readonly clock: Clock;
  readonly post: PostJson;
  readonly taken: Counter;
  readonly failed: Counter;
  /** Several processes tell of the same models: each of its own alerts. */
  readonly isOneOfMany: boolean;
}

/** An alert as API v2 takes it (prometheus/alertmanager, api/v2/openapi.yaml, postableAlert). */
interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
}

/** Alertmanager takes an alert for over that it does not hear of any more; told four times as often, as Prometheus does. */
const RESEND_MS = 60_000;
const LASTS_MS = 4 * RESEND_MS;
const FIRST_PAUSE_MS = 1000;

/**
 * Keeps an Alertmanager in line with the incidents that are `degraded` (severity `warning`) or `paging` (`critical`). What
 * counts is how things are: after an outage of it all is told at the next attempt, so that nothing has to be kept.
 */
export function createAlertmanager(baseUrl: string, deps: AlertmanagerDeps): OutwardSink {
  const { clock, post, taken, failed } = deps;
  const url = `${baseUrl.replace(/\/+$/, '')}/api/v2/alerts`;
  const abort = new AbortController();
  const active = new Map<string, Alert>();
  /** Over, and not told yet. */
  const ended = new Map<string, Alert & { readonly endsAt: string }>();
  let sending: Promise<void> | undefined;
  let timer: Timer | undefined;
  let isStale = false;
  let failures = 0;
  let isClosing = false;

  function isoAt(wallMs: number): string {
    return new Date(wallMs).toISOString();
  }

  function end(key: string): void {
    const alert = active.get(key);
    if (alert === undefined) return;
    active.delete(key);
    ended.set(JSON.stringify(alert.labels), { ...alert, endsAt: isoAt(clock.wallMs()) });
  }

  /** What changes meanwhile goes with the next. */
  function flush(): void {
    timer?.cancel();
    isStale = true;
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
  }

  async function sendAll(): Promise<void> {
    while (isStale && !abort.signal.aborted) {
      isStale = false;
      const endsAt = isoAt(clock.wallMs() + LASTS_MS);
      const over = [...ended];
      const alerts = [
        ...over.map(([, alert]) => alert),
        ...[...active.values()].map((one) => ({ ...one, endsAt })),
      ];
      if (alerts.length === 0) return;
      const posted = await post(url, JSON.stringify(alerts), {}, abort.signal);
      if (posted === 'taken') {
        failures = 0;
        taken.inc();
        for (const [labels, alert] of over) if (ended.get(labels) === alert) ended.delete(labels);
      } else {
        failures += 1;
        failed.inc();
      }
      if (isClosing) return;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), RESEND_MS) * clock.random();
      if (failures > 0) timer = clock.setTimer(flush, pauseMs);
      else if (active.size > 0) timer = clock.setTimer(flush, RESEND_MS);
      if (failures > 0) return;
    }
  }

  return {
    changed(incident, record) {
      const { key, state } = incident;
      if (state === 'degraded' || state === 'paging') {
        const alert = toAlert(incident, record, deps.isOneOfMany);
        const before = active.get(key);
        // What tells alerts apart are their labels: with others it is another one.
        if (before !== undefined && JSON.stringify(before.labels) !== JSON.stringify(alert.labels)) end(key);
        ended.delete(JSON.stringify(alert.labels));
        active.set(key, alert);
      } else if (active.has(key)) end(key);
      else return;
      flush();
    },
    async close(graceMs) {
      isClosing = true;
      timer?.cancel();
      const limit = clock.setTimer(() => abort.abort(), graceMs);
      if (ended.size > 0) flush();
      await sending;
      limit.cancel();
    },
  };
}

function toAlert(incident: Incident, record: EventRecord, isOneOfMany: boolean): Alert {
  const { type, state, condition, model, version, part, message, done, sinceMs } = incident;
  return {
    labels: {
      alertname: `Nimify${type.split('-').map(capitalized).join('')}`,
      severity: state === 'paging' ? 'critical' : 'warning',
      service: 'nimify',
      instance: hostname(),
      condition,
      ...(model === undefined ? {} : { model }),
      ...(version === undefined ? {} : { version }),
      ...(part === undefined ? {} : { part }),
      ...(isOneOfMany ? { process: String(record.process) } : {}),
    },
    annotations: {
      summary: EVENT_TYPES[type].means,
      description: message,
      ...(done === undefined ? {} : { done }),
      runbook_url: record.runbook,
    },
    startsAt: new Date(sinceMs).toISOString(),
  };
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
