import type { Logger } from '../../../base/telemetry/log.ts';
import { countersOf, sumMetrics } from '../../../base/telemetry/sum-metrics.ts';
import { changeLogSettings } from '../../../protocol/log-settings.ts';
import { CHANGES, type LogChanges, type QuestionOf, type Topic } from '../../../protocol/peers.ts';
import { createChanges } from './changes.ts';
import type { Result } from './messages.ts';
import type { ServingProcess } from './serving-process.ts';

/** What is asked of all processes, and what they have been told. */
export interface Gathering {
  /** The answers of all, the asker's first. What is a change is kept for those that come later. */
  ask<T extends Topic>(asker: ServingProcess, topic: T, question: QuestionOf<T>): Promise<readonly Result[]>;
  /** The metrics of all. */
  metrics(): Promise<string>;
  /** Tells the process all that was changed so far; it is one of them from then on. */
  join(process: ServingProcess): Promise<void>;
  left(process: ServingProcess): void;
}

/** A process that does not answer in this time is left out. */
const LONGEST_MS = 2000;

export interface GatheringOptions {
  readonly log: Logger;
  /** What the process that started them counts itself. */
  readonly ownMetrics: () => string;
}

export function createGathering({ log, ownMetrics }: GatheringOptions): Gathering {
  const joined = new Set<ServingProcess>();
  const changes = createChanges();
  /** What was counted by processes that have ended: a sum that falls would be read as a new beginning. */
  let endedMetrics = '';
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }

  async function askAll<T extends Topic>(
    processes: Iterable<ServingProcess>,
    topic: T,
    question: QuestionOf<T>,
  ): Promise<readonly Result[]> {
    const limitMs = CHANGES.has(topic) ? undefined : LONGEST_MS;
    const results = await Promise.all(
      Array.from(processes, (process) => process.ask(topic, question, limitMs)),
    );
    return results.filter((result) => result !== undefined);
  }

  async function change<T extends Topic>(
    processes: Iterable<ServingProcess>,
    topic: T,
    question: QuestionOf<T>,
  ): Promise<readonly Result[]> {
    const results = await askAll(processes, topic, question);
    const [first, ...others] = results;
    if (first === undefined || 'refusal' in first) return results;
    const refused = others.filter((result) => 'refusal' in result);
    if (refused.length > 0) {
      log.error(
        { topic, processes: results.length, refused: refused.length },
        'not all processes were changed',
      );
    }
    changes.keep({ topic, question });
    if (topic === 'logSettings') changeLogSettings(log, question as LogChanges);
    return results;
  }

  async function metricsOf(process: ServingProcess): Promise<string> {
    const result = await process.ask('metrics', {}, LONGEST_MS);
    // Without one that is busy the sum would fall.
    if (result !== undefined && 'value' in result) process.lastMetrics = result.value as string;
    return process.lastMetrics;
  }

  async function metrics(): Promise<string> {
    const texts = await Promise.all(Array.from(joined, metricsOf));
    return sumMetrics([endedMetrics, ...texts, ownMetrics()]);
  }

  return {
    async ask(asker, topic, question) {
      const processes = new Set([asker, ...joined]);
      if (CHANGES.has(topic)) return inTurn(() => change(processes, topic, question));
      if (topic === 'metrics') return [{ value: await metrics() }];
      return askAll(processes, topic, question);
    },
    metrics,
    join: (process) =>
      inTurn(async () => {
        for (const { topic, question } of changes.all()) {
          const result = await process.ask(topic, question, undefined);
          if (result !== undefined && 'refusal' in result) {
            log.error(
              { topic, reason: result.refusal.message },
              'a new process is not in the state of the others',
            );
          }
        }
        joined.add(process);
        process.isReady = true;
      }),
    left(process) {
      process.isReady = false;
      if (joined.delete(process)) endedMetrics = sumMetrics([endedMetrics, countersOf(process.lastMetrics)]);
    },
  };
}
