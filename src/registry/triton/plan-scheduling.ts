import type { PlanNotes } from './plan.ts';

/** How requests wait, are put together and answered. Returns the room for waiting requests, where it is limited. */
export function planScheduling(notes: PlanNotes): number | undefined {
  const { config } = notes.text;
  const { response_cache: cache, model_transaction_policy: transactions } = config;
  planSequences(notes);
  if (config.ensemble_scheduling !== undefined) {
    notes.refuse('ensemble_scheduling', 'this version of nimify does not join models into ensembles');
  }
  for (const field of ['batch_input', 'batch_output'] as const) {
    if (config[field] !== undefined) {
      notes.refuse(
        field,
        'nimify does not join requests of different shapes into one, nor tell a model of it',
      );
    }
  }
  if (cache !== undefined) {
    if (cache.enable) notes.ignore('response_cache', 'this version keeps no answers; each is computed');
    else notes.honour('response_cache', 'no answer is kept');
  }
  if (transactions !== undefined) {
    const field = 'model_transaction_policy';
    if (transactions.decoupled) notes.ignore(field, 'an ONNX model gives one answer to each request');
    else notes.honour(field, 'one answer to each request');
  }
  return planBatching(notes);
}

function planBatching(notes: PlanNotes): number | undefined {
  const { dynamic_batching: batching } = notes.text.config;
  if (batching === undefined) return undefined;
  const within = (field: string) => `dynamic_batching.${field}`;
  const unjoined = 'this version runs each request by itself; answers are the same';
  notes.ignore('dynamic_batching', unjoined);
  for (const field of ['preferred_batch_size', 'max_queue_delay_microseconds'] as const) {
    if (batching[field] !== undefined) notes.ignore(within(field), unjoined);
  }
  if (batching.preserve_ordering !== undefined) {
    if (batching.preserve_ordering) {
      notes.ignore(
        within('preserve_ordering'),
        'each answer goes to its own request, as soon as it is there',
      );
    } else notes.honour(within('preserve_ordering'), 'each answer goes out as soon as it is there');
  }
  for (const field of ['priority_levels', 'default_priority_level', 'priority_queue_policy'] as const) {
    if (batching[field] !== undefined)
      notes.ignore(within(field), 'requests run in the order of their arrival');
  }
  return planQueue(notes);
}

function planQueue(notes: PlanNotes): number | undefined {
  const policy = notes.text.config.dynamic_batching?.default_queue_policy;
  if (policy === undefined) return undefined;
  const within = (field: string) => `dynamic_batching.default_queue_policy.${field}`;
  const timeout =
    'the deadline holds for waiting and running together; set it with timeoutMs or in the request';
  for (const field of ['default_timeout_microseconds', 'timeout_action', 'allow_timeout_override'] as const) {
    if (policy[field] !== undefined) notes.ignore(within(field), timeout);
  }
  const { max_queue_size: size } = policy;
  if (size === undefined) return undefined;
  if (size === 0) {
    notes.ignore(within('max_queue_size'), 'nimify always bounds the queue, at 1024 requests');
    return undefined;
  }
  notes.honour(
    within('max_queue_size'),
    `at most ${size} requests wait; the next is told to come back later`,
  );
  return size;
}

/** ONNX models keep nothing between requests, so what matters is only what Triton would have added to them. */
function planSequences(notes: PlanNotes): void {
  const { sequence_batching: sequences } = notes.text.config;
  if (sequences === undefined) return;
  const within = (field: string) => `sequence_batching.${field}`;
  const supplied = [
    ['control_input', 'the server would have to fill these inputs, and nimify does not'],
    ['state', 'the server would have to carry tensors from request to request, and nimify does not'],
  ] as const;
  for (const [field, says] of supplied) {
    if (sequences[field] !== undefined) notes.refuse(within(field), says);
  }
  if (sequences.iterative_sequence) {
    notes.refuse(within('iterative_sequence'), 'nimify does not ask a model again for the same request');
  }
  if (sequences.control_input === undefined && sequences.state === undefined) {
    notes.ignore('sequence_batching', 'the model keeps nothing between requests, so any instance may answer');
  }
}
