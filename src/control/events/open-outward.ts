import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { EventReport } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import { userCacheFolder } from '../../base/util/cache-folder.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createAlertmanager } from './alertmanager.ts';
import type { EventOptions, Notify } from './contract.ts';
import { createDeadLetters } from './dead-letters.ts';
import { postJson } from './post-json.ts';
import { toKey } from './sign.ts';
import { createWebhook, type OutwardSink, withoutSecrets } from './webhook.ts';

export interface OutwardDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly report: (event: EventReport) => void;
  readonly isOneOfMany: boolean;
}

export interface Outward {
  readonly sinks: readonly Notify[];
  close(graceMs: number): Promise<void>;
}

/**
 * What tells others of events.
 * @throws NimifyError CONFIG_INVALID where a file with a key cannot be read
 */
export async function openOutward(
  { webhooks = [], alertmanager, deadLetterFile }: EventOptions,
  { clock, log, metrics, report, isOneOfMany }: OutwardDeps,
): Promise<Outward> {
  const sent = metrics.counter('nimify_event_notifications', 'Messages to those who are told of events.', [
    'target',
    'result',
  ]);
  const path = deadLetterFile ?? join(userCacheFolder(), 'dead-letters.jsonl');
  const deadLetters = createDeadLetters(path, { log, report });
  const sinks: OutwardSink[] = [];
  for (const { url, secretFile } of webhooks) {
    const key = secretFile === undefined ? undefined : await readKey(secretFile);
    const target = withoutSecrets(url);
    const [taken, givenUp] = [sent.labels(target, 'taken'), sent.labels(target, 'given-up')];
    sinks.push(createWebhook(url, key, { clock, post: postJson, deadLetters, taken, givenUp }));
  }
  if (alertmanager !== undefined) {
    const target = withoutSecrets(alertmanager);
    const [taken, failed] = [sent.labels(target, 'taken'), sent.labels(target, 'failed')];
    sinks.push(createAlertmanager(alertmanager, { clock, post: postJson, taken, failed, isOneOfMany }));
  }
  return {
    sinks,
    async close(graceMs) {
      await Promise.all(sinks.map((sink) => sink.close(graceMs)));
      await deadLetters.close();
    },
  };
}

/** Shorter ones can be found by trying. */
const LEAST_KEY_BYTES = 16;

async function readKey(path: string): Promise<Buffer> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new NimifyError(
      'CONFIG_INVALID',
      `${path}: the key of a webhook cannot be read; check secretFile`,
      {
        details: { where: path },
        cause,
      },
    );
  });
  const key = toKey(text);
  if (key.length >= LEAST_KEY_BYTES) return key;
  throw new NimifyError(
    'CONFIG_INVALID',
    `${path}: expected a key of at least ${LEAST_KEY_BYTES} bytes for a webhook, got ${key.length}`,
    { details: { where: path, expected: LEAST_KEY_BYTES, got: key.length } },
  );
}
