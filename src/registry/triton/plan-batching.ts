import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { QueuePolicy } from '../../policy/batching/contract.ts';
import { DEFAULT_QUEUE } from '../../policy/batching/queue.ts';
import type { PlanNotes, PlannedBatching } from './plan.ts';

type Batching = NonNullable<ModelConfig['dynamic_batching']>;
type ConfiguredPolicy = NonNullable<Batching['default_queue_policy']>;

/** Requests that may wait where nothing else is said: Triton then sets no bound at all. */
const MOST_WAITING = DEFAULT_QUEUE.maxWaiting;
/** Above it the table of queues would be larger than any use of it. */
const MOST_LEVELS = 1000;

/** What becomes of `dynamic_batching`, and of `max_batch_size` as the bound of a batch. */
export function planBatching(notes: PlanNotes): PlannedBatching | undefined {
  const { dynamic_batching: batching, max_batch_size: maxRows } = notes.text.config;
  const bound = maxRows !== undefined && maxRows > 0 ? { maxBatchRows: maxRows } : undefined;
  if (batching === undefined) return bound;
  const isBatched = maxRows !== 0;
  if (isBatched) notes.honour('dynamic_batching', 'requests that wait are run together');
  else notes.ignore('dynamic_batching', 'max_batch_size is 0, so that no dimension counts rows');
  return {
    ...bound,
    ...planWindow(notes, batching),
    ...planPriorities(notes, batching),
  };
}

function planWindow(notes: PlanNotes, batching: Batching): PlannedBatching {
  const within = (field: string) => `dynamic_batching.${field}`;
  const { preferred_batch_size: preferred, max_queue_delay_microseconds: delayUs } = batching;
  const planned: { -readonly [F in keyof PlannedBatching]: PlannedBatching[F] } = {};
  if (preferred !== undefined && preferred.length > 0) {
    const field = within('preferred_batch_size');
    if (preferred.every((rows) => rows > 0)) {
      notes.honour(field, `a batch of ${preferred.join(' or ')} rows waits for no more`);
      planned.preferredRows = preferred;
    } else notes.refuse(field, `expected sizes of at least 1, got ${preferred.join(', ')}`);
  }
  if (delayUs !== undefined) {
    const delayMs = Number(delayUs) / 1000;
    notes.honour(within('max_queue_delay_microseconds'), `a row waits at most ${delayMs} ms for others`);
    planned.maxDelayMs = delayMs;
  }
  if (batching.preserve_ordering !== undefined) {
    const says = batching.preserve_ordering
      ? 'answers go out in the order of the requests'
      : 'each answer goes out as soon as it is there';
    notes.honour(within('preserve_ordering'), says);
    planned.preserveOrder = batching.preserve_ordering;
  }
  return planned;
}

function planPriorities(notes: PlanNotes, batching: Batching): PlannedBatching {
  const within = (field: string) => `dynamic_batching.${field}`;
  const levels = Number(batching.priority_levels ?? 0);
  const defaultLevel = Number(batching.default_priority_level ?? 0);
  const queue = planQueue(notes, within('default_queue_policy'), batching.default_queue_policy);
  const planned: PlannedBatching = queue === undefined ? {} : { queue };
  const byPriority = [...(batching.priority_queue_policy ?? [])];
  if (levels === 0) {
    for (const field of ['priority_levels', 'default_priority_level', 'priority_queue_policy'] as const) {
      if (batching[field] !== undefined)
        notes.ignore(within(field), 'without levels all requests have the same priority');
    }
    return planned;
  }
  if (levels > MOST_LEVELS) {
    notes.refuse(within('priority_levels'), `expected at most ${MOST_LEVELS}, got ${levels}`);
    return planned;
  }
  notes.honour(
    within('priority_levels'),
    `requests have priorities from 1 to ${levels}; those who wait long rise, so that none waits forever`,
  );
  const field = within('default_priority_level');
  if (defaultLevel < 1 || defaultLevel > levels) {
    notes.refuse(field, `expected a level from 1 to ${levels}, got ${defaultLevel}`);
    return planned;
  }
  notes.honour(field, `a request without a priority has ${defaultLevel}`);
  const queueByPriority: Record<number, QueuePolicy> = {};
  for (const [key, policy] of byPriority) {
    const place = `${within('priority_queue_policy')}['${key}']`;
    const level = Number(key);
    if (level < 1 || level > levels) {
      notes.refuse(place, `expected a level from 1 to ${levels}`);
      continue;
    }
    queueByPriority[level] = planQueue(notes, place, policy) ?? DEFAULT_QUEUE;
  }
  return { ...planned, priorities: { levels, defaultLevel }, queueByPriority };
}

/** Undefined: nothing is said. */
function planQueue(
  notes: PlanNotes,
  place: string,
  policy: ConfiguredPolicy | undefined,
): QueuePolicy | undefined {
  if (policy === undefined) return undefined;
  const within = (field: string) => `${place}.${field}`;
  const { max_queue_size: size, timeout_action: action, default_timeout_microseconds: timeoutUs } = policy;
  if (size === 0) {
    notes.ignore(
      within('max_queue_size'),
      `nimify always bounds the queue, here at ${MOST_WAITING} requests`,
    );
  } else if (size !== undefined) {
    notes.honour(
      within('max_queue_size'),
      `at most ${size} requests wait; the next is told to come back later`,
    );
  }
  const timeoutMs = timeoutUs === undefined ? 0 : Number(timeoutUs) / 1000;
  if (timeoutUs !== undefined) {
    const says =
      timeoutMs === 0
        ? 'requests wait as long as their deadlines allow'
        : `a request waits at most ${timeoutMs} ms`;
    notes.honour(within('default_timeout_microseconds'), says);
  }
  if (action !== undefined) {
    const says =
      action === 'DELAY'
        ? 'a request that waited too long goes behind all others'
        : 'a request that waited too long is refused';
    notes.honour(within('timeout_action'), says);
  }
  if (policy.allow_timeout_override !== undefined) {
    notes.honour(
      within('allow_timeout_override'),
      policy.allow_timeout_override
        ? "a request's own shorter timeout counts"
        : 'the timeout of the queue is not the requests',
    );
  }
  return {
    maxWaiting: size === undefined || size === 0 ? MOST_WAITING : size,
    ...(timeoutMs === 0 ? {} : { defaultTimeoutMs: timeoutMs }),
    timeoutAction: action === 'DELAY' ? 'delay' : 'reject',
    allowTimeoutOverride: policy.allow_timeout_override ?? false,
  };
}
