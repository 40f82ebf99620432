import type { EventSink } from '../base/telemetry/events.ts';
import type { MetricsRegistry } from '../base/telemetry/metrics.ts';
import type { InstanceEnd, WatchInstance } from '../model/instance-watch.ts';

/** Ends in a row from which on an instance is said to be in a crash loop. */
const CRASH_LOOP = 3;

/** Counts what becomes of the instances of one version of a model, and tells of it. */
export interface ModelWatch {
  readonly watchInstance: WatchInstance;
  /** A request was refused, because instances have ended of its content. */
  readonly refusedPoison: () => void;
}

export type WatchModel = (model: string, version: string) => ModelWatch;

export function createInstanceMetrics(metrics: MetricsRegistry, events: EventSink): WatchModel {
  const ends = metrics.counter(
    'nimify_instance_restarts',
    'Threads and processes of a model that were replaced, by reason.',
    ['model', 'version', 'reason'],
  );
  const waiting = metrics.gauge(
    'nimify_instances_down',
    'Threads and processes of a model that are being replaced now.',
    ['model', 'version'],
  );
  const poison = metrics.counter(
    'nimify_poison_refusals',
    'Requests that were refused, because instances of the model have ended of others of the same content.',
    ['model', 'version'],
  );
  return (model, version) => {
    const refusals = poison.labels(model, version);
    const down = waiting.labels(model, version);
    let started = 0;
    let missing = 0;

    function countMissing(by: 1 | -1): void {
      missing += by;
      down.set(missing);
    }

    const watchInstance: WatchInstance = () => {
      const part = `instance ${started}`;
      const subject = { model, version, part };
      started += 1;
      let isDown = false;
      let isLooping = false;
      return {
        ended(reason, { inARow, retryAfterMs }) {
          ends.labels(model, version, reason).inc();
          if (reason === 'recycled') {
            events.report({ type: 'instance-recycled', ...subject, message: MESSAGES[reason] });
            return;
          }
          if (!isDown) countMissing(1);
          isDown = true;
          const done = retryAfterMs === 0 ? 'starts another' : `starts another in ${retryAfterMs} ms`;
          const isStuck = reason === 'stuck' || reason === 'overdue';
          const type = isStuck ? 'instance-stuck' : 'instance-crashed';
          events.report({ type, ...subject, message: MESSAGES[reason], done });
          if (inARow < CRASH_LOOP) return;
          isLooping = true;
          const message = `${inARow} ended in a row, none of which had lived for long`;
          events.report({ type: 'crash-loop', ...subject, message, done });
        },
        replaced() {
          if (isDown) countMissing(-1);
          isDown = false;
          events.report({ type: 'instance-replaced', ...subject, message: 'another has taken its place' });
        },
        steady() {
          if (!isLooping) return;
          isLooping = false;
          events.report({ type: 'crash-loop-ended', ...subject, message: 'the last one has lived for long' });
        },
      };
    };
    return { watchInstance, refusedPoison: () => refusals.inc() };
  };
}

const MESSAGES: Readonly<Record<InstanceEnd, string>> = {
  crashed: 'it died, and the runs that were in it failed',
  stuck: 'it gave no sign of life and was ended',
  overdue: 'a run took longer than it may, and was ended with it',
  memory: 'it took more memory than it may, and was ended',
  recycled: 'it had grown too large and was replaced while its runs went on',
};
