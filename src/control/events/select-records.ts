import { EVENT_LEVELS } from '../../base/telemetry/events.ts';
import type { EventFilter, EventRecord } from './contract.ts';

/** Of those of one process or of all, in the order of their time. */
export function selectRecords(
  records: readonly EventRecord[],
  { types, model, states, after = {}, limit }: EventFilter,
): readonly EventRecord[] {
  const wanted = records
    .filter(
      (record) =>
        record.id > (after[record.process] ?? 0) &&
        (types === undefined || types.includes(record.type)) &&
        (model === undefined || record.model === model) &&
        (states === undefined || states.includes(record.state)),
    )
    .sort((a, b) => compare(a.time, b.time) || a.process - b.process || a.id - b.id);
  return limit === undefined ? wanted : wanted.slice(Math.max(0, wanted.length - limit));
}

export function worstFirst(records: readonly EventRecord[]): readonly EventRecord[] {
  return [...records].sort(
    (a, b) =>
      EVENT_LEVELS.indexOf(b.state) - EVENT_LEVELS.indexOf(a.state) ||
      compare(a.since, b.since) ||
      a.id - b.id,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
