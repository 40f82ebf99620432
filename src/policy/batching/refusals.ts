import { invalidInput, NimifyError } from '../../base/errors/nimify-error.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type { InferRequest } from '../../model/request.ts';

/** What the batcher answers where no run does. */

export function cancelled({ reason }: CancelToken): NimifyError {
  if (reason === 'deadline')
    return new NimifyError('DEADLINE_EXCEEDED', 'The deadline passed before the answer');
  const why = reason === 'shutdown' ? 'the server is shutting down' : 'the client left';
  return new NimifyError('CANCELLED', `The request was cancelled: ${why}`);
}

export function notReady(name: string): NimifyError {
  return new NimifyError('MODEL_NOT_READY', `Model '${name}' takes no requests now; try again shortly`);
}

/** Of a model whose runs are filled up with the last row. */
export function nothingToFill({ inputs }: InferRequest): NimifyError {
  const at = Math.max(
    0,
    inputs.findIndex(({ shape }) => shape[0] === 0),
  );
  const where = `inputs[${at}].shape`;
  const got = `[${inputs[at]?.shape.join(',') ?? ''}]`;
  return invalidInput(
    `${where}: expected at least one row, as many in every input, got ${got}; the model runs batches of a fixed size, ` +
      'which are filled up from the rows that come',
    { where, expected: 'at least one row', got },
  );
}

export function queueFull(waiting: number, retryAfterMs: number): NimifyError {
  const message = `${waiting} requests are waiting already; try again in ${retryAfterMs} ms`;
  return new NimifyError('OVERLOADED', message, { retryAfterMs });
}

export function wouldBeLate(
  waiting: number,
  predicted: {
    readonly waitNs: number;
    readonly runNs: number;
    readonly budgetNs: number;
    /** Of the budget, what is kept in reserve. */
    readonly spareNs: number;
  },
): NimifyError {
  const { waitNs, runNs, budgetNs, spareNs } = predicted;
  const retryAfterMs = Math.max(1, Math.ceil((waitNs + runNs + spareNs - budgetNs) / 1e6));
  const reserve = spareNs > 0 ? ` less ${msText(spareNs)} in reserve` : '';
  return new NimifyError(
    'OVERLOADED',
    `${waiting} requests are waiting: this one would run after ${msText(waitNs)} and take up to ${msText(runNs)}, ` +
      `and its deadline is in ${msText(budgetNs)}${reserve}; try again in ${retryAfterMs} ms or allow more time`,
    { retryAfterMs },
  );
}

export function tooLate(waitedNs: number, runNs: number): NimifyError {
  const needed = Number.isFinite(runNs) ? ` and a run takes ${msText(runNs)}` : '';
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `The deadline cannot be met: ${msText(waitedNs)} passed in the queue${needed}; allow more time or send less`,
  );
}

export function expired(waitedNs: number): NimifyError {
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `The deadline passed after ${msText(waitedNs)} of waiting for a free slot`,
  );
}

export function waitedTooLong(waitedNs: number): NimifyError {
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `${msText(waitedNs)} passed in the queue, which is as long as its policy allows (default_timeout_microseconds)`,
  );
}

function msText(ns: number): string {
  const ms = ns / 1e6;
  return `${ms < 10 ? Math.round(ms * 100) / 100 : Math.round(ms)} ms`;
}
