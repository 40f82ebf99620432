import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import type { MemoryInstruments, MemoryRefusal } from './memory-instruments.ts';

/** What an error says that there is no room for. */
export type Where = 'body' | 'message';

/** What the log says of a refusal. */
export interface MemoryState {
  readonly ceilingBytes: number;
  readonly usedBytes: number;
  readonly heldBytes: number;
}

export interface MemoryRefusals {
  /** Counts the refusal, and tells the log of one now and then. Gives the error back. */
  refuse(reason: MemoryRefusal, error: NimifyError): NimifyError;
}

const LOG_EVERY_NS = 10e9;

export function createMemoryRefusals(
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  instruments: MemoryInstruments,
  read: () => MemoryState,
): MemoryRefusals {
  let loggedAtNs = Number.NEGATIVE_INFINITY;
  return {
    refuse(reason, error) {
      instruments.refused(reason);
      const nowNs = clock.nowNs();
      if (nowNs - loggedAtNs >= LOG_EVERY_NS) {
        loggedAtNs = nowNs;
        log.warn(
          { ...read(), reason },
          'requests are refused for want of memory; raise server.maxMemoryBytes, or send smaller or fewer requests at once',
        );
      }
      return error;
    },
  };
}

/** There is none now. */
export function noRoom(what: string, where: Where, retryAfterMs: number): NimifyError {
  return new NimifyError(
    'OVERLOADED',
    `${where}: there is no memory for its ${what} beside the requests that are being answered; try again in ${retryAfterMs} ms, or send fewer rows in a request`,
    { details: { where }, retryAfterMs },
  );
}

/** There never will be any. */
export function neverRoom(sizeBytes: number, maxBytes: number, where: Where): NimifyError {
  return new NimifyError(
    'PAYLOAD_TOO_LARGE',
    `${where}: expected at most ${maxBytes} bytes, which is what the memory of this server allows (server.maxMemoryBytes), got ${sizeBytes}; send fewer rows in a request`,
    { details: { where, expected: { maxBytes }, got: sizeBytes } },
  );
}

/** Others got it. */
export function tooSlow(arrivedBytes: number, sizeBytes: number, where: Where, ms: number): NimifyError {
  return new NimifyError(
    'OVERLOADED',
    `${where}: ${arrivedBytes} of its ${sizeBytes} bytes have come, too slowly to keep memory for the rest while others find none; try again in ${ms} ms, or send fewer rows in a request`,
    { details: { where }, retryAfterMs: ms },
  );
}

export function noRoomForAnswer(sizeBytes: number, retryAfterMs: number): NimifyError {
  return new NimifyError(
    'OVERLOADED',
    `answer: there is no memory for its ${sizeBytes} bytes beside those that clients have not taken yet; try again in ${retryAfterMs} ms, or ask for fewer rows or outputs in a request`,
    { details: { where: 'answer' }, retryAfterMs },
  );
}
