import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Counter } from '../../base/telemetry/metrics.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Notify } from './contract.ts';
import type { DeadLetters } from './dead-letters.ts';
import { createDelivery } from './delivery.ts';
import type { PostJson } from './post-json.ts';
import { webhookHeaders } from './sign.ts';

export interface WebhookDeps {
  readonly clock: Clock;
  readonly post: PostJson;
  readonly deadLetters: Pick<DeadLetters, 'write'>;
  readonly taken: Counter;
  readonly givenUp: Counter;
}

export interface OutwardSink extends Notify {
  close(graceMs: number): Promise<void>;
}

/** Tells an address of every incident that begins, gets worse or is resolved. */
export function createWebhook(url: string, key: Buffer | undefined, deps: WebhookDeps): OutwardSink {
  const { clock, post, deadLetters, taken, givenUp } = deps;
  const host = hostname();
  const delivery = createDelivery({
    clock,
    send: ({ id, body }, signal) => post(url, body, webhookHeaders(id, body, clock.wallMs(), key), signal),
    onTaken: () => taken.inc(),
    onGivenUp({ id, body }, reason) {
      givenUp.inc();
      const time = new Date(clock.wallMs()).toISOString();
      deadLetters.write({ time, url: withoutSecrets(url), reason, id, body: JSON.parse(body) });
    },
  });
  return {
    changed(_incident, record) {
      const type = record.state === 'resolved' ? 'incident.resolved' : `incident.${record.change}`;
      const body = JSON.stringify({ type, timestamp: record.time, data: { host, ...record } });
      delivery.push({ id: `msg_${randomUUID()}`, body });
    },
    close: (graceMs) => delivery.close(graceMs),
  };
}

/** Paths and queries of such addresses are often what lets one in. */
export function withoutSecrets(url: string): string {
  return new URL(url).origin;
}
