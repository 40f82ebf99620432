import type { EventLevel } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { EventRecord, Notify } from './contract.ts';

const LOG_LEVEL = {
  noticed: 'info',
  mitigating: 'warn',
  degraded: 'warn',
  paging: 'error',
  resolved: 'info',
} as const satisfies Readonly<Record<EventLevel, keyof Logger>>;

/** One line for each record, but for what is repeated, which only those see who want everything. */
export function createLogSink(log: Logger): Notify {
  return {
    recorded(record) {
      const { change, state, message } = record;
      const level = change === 'repeated' ? 'debug' : change === 'ended' ? 'info' : LOG_LEVEL[state];
      log[level](fieldsOf(record), message);
    },
  };
}

function fieldsOf({ type, state, change, model, version, part, done, count, details, runbook }: EventRecord) {
  return {
    event: type,
    state,
    change,
    ...(model === undefined ? {} : { model }),
    ...(version === undefined ? {} : { version }),
    ...(part === undefined ? {} : { part }),
    ...(done === undefined ? {} : { done }),
    ...(count === 1 ? {} : { count }),
    ...(details === undefined ? {} : { details }),
    runbook,
  };
}
