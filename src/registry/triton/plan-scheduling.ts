import type { PlanNotes, PlannedBatching } from './plan.ts';
import { planBatching } from './plan-batching.ts';

/** How requests wait, are put together and answered; undefined: nothing is said of it. */
export function planScheduling(notes: PlanNotes): PlannedBatching | undefined {
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
