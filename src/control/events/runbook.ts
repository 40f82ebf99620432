import type { EventType } from '../../base/telemetry/events.ts';
import { VERSION } from '../../base/util/version.ts';

/** The page that says what an event means, what to look at and what to do. It lies in the published package. */
export function runbookOf(type: EventType): string {
  return `https://unpkg.com/nimify@${VERSION}/docs/runbooks/${type}.md`;
}
