import {
  EVENT_TYPES,
  type EventMeaning,
  type EventReport,
  type EventType,
  type OpenLevel,
} from '../../base/telemetry/events.ts';
import { OPEN_LEVELS } from './contract.ts';

/** Of an event that begins something. */
type Beginning = Extract<EventMeaning, { readonly starts: string }>;

export function conditionOf(type: EventType): string {
  const meaning: EventMeaning = EVENT_TYPES[type];
  return 'ends' in meaning ? meaning.ends : meaning.starts;
}

/** The highest level to which what this event begins rises by itself. */
export function highestByItself(type: EventType): OpenLevel {
  return (EVENT_TYPES[type] as Beginning).risesTo ?? 'paging';
}

/** All that there are. */
export const CONDITIONS: readonly string[] = [
  ...new Set((Object.keys(EVENT_TYPES) as EventType[]).map(conditionOf)),
];

const WITH_END: ReadonlySet<string> = new Set(
  Object.values(EVENT_TYPES).flatMap((meaning) => ('ends' in meaning ? [meaning.ends] : [])),
);

/** Is there an event that ends it? */
export function hasEnd(condition: string): boolean {
  return WITH_END.has(condition);
}

/** The same for all reports of one incident. */
export function keyOf({ type, model, version, part }: EventReport): string {
  return JSON.stringify([conditionOf(type), model, version, part]);
}

export function rank(level: OpenLevel): number {
  return OPEN_LEVELS.indexOf(level);
}

export function highest(...levels: readonly OpenLevel[]): OpenLevel {
  return OPEN_LEVELS[Math.max(...levels.map(rank))]!;
}

export function lowest(...levels: readonly OpenLevel[]): OpenLevel {
  return OPEN_LEVELS[Math.min(...levels.map(rank))]!;
}
