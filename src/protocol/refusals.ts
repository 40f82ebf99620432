import { NimifyError } from '../base/errors/nimify-error.ts';

/** To requests that come when the end has begun. */
export function shuttingDown(): NimifyError {
  return new NimifyError('MODEL_NOT_READY', 'this server is shutting down; send the request to another one', {
    retryAfterMs: 1000,
  });
}

/** Of an answer that nobody waits for any more. */
export function clientLeft(): NimifyError {
  return new NimifyError('CANCELLED', 'the client left before its answer was there');
}
