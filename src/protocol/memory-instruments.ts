import type { MetricsRegistry } from '../base/telemetry/metrics.ts';

/**
 * `body`: a body found no room; `never`: one that is larger than the room there could be; `ceiling`: the process held
 * all it may, and short requests were refused too; `answer`: it did when an answer was made, which was let go, or would
 * have with one; `slow`: a body came so slowly that others got its room.
 */
export type MemoryRefusal = (typeof REASONS)[number];

const REASONS = ['body', 'never', 'ceiling', 'answer', 'slow'] as const;

export interface MemoryInstruments {
  refused(reason: MemoryRefusal): void;
}

/** Registers what is held for requests, what may be, and who was refused for it. */
export function createMemoryInstruments(
  metrics: MetricsRegistry | undefined,
  read: { readonly ceilingBytes: () => number; readonly heldBytes: () => number },
): MemoryInstruments {
  if (metrics === undefined) return { refused() {} };
  const held = metrics
    .gauge('nimify_request_memory_bytes', 'Bodies and answers of at least 16 KiB that are held in memory.')
    .labels();
  const ceiling = metrics
    .gauge('nimify_memory_ceiling_bytes', 'Resident memory beyond which requests are refused.')
    .labels();
  metrics.onCollect(() => {
    held.set(read.heldBytes());
    ceiling.set(read.ceilingBytes());
  });
  const refusals = metrics.counter('nimify_memory_refusals', 'Requests refused for want of memory.', [
    'reason',
  ]);
  const byReason = new Map(REASONS.map((reason) => [reason, refusals.labels(reason)]));
  return { refused: (reason) => byReason.get(reason)?.inc() };
}
