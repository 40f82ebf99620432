import { type ErrorDetails, NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { SessionInfo } from './session.ts';

/** What goes to the thread of a session. It starts with a `SessionSource` as its `workerData`. */
export type ToThread =
  | {
      readonly type: 'run';
      readonly id: number;
      readonly inputs: readonly Tensor[];
      readonly outputs: readonly string[];
    }
  /** Finish what runs, free the session, leave. */
  | { readonly type: 'close' };

/** What comes back. First exactly one of `loaded` and `refused`, then one answer a run, in any order. */
export type FromThread =
  | { readonly type: 'loaded'; readonly info: SessionInfo }
  | { readonly type: 'refused'; readonly error: PlainError }
  | {
      readonly type: 'result';
      readonly id: number;
      readonly outputs: readonly Tensor[];
      readonly computeNs: number;
    }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError };

/** A NimifyError as structured cloning keeps it: an instance of the class would arrive as a plain Error. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails | undefined;
  readonly cause: string | undefined;
}

export function toPlainError(thrown: unknown): PlainError {
  const { code, message, details, cause } = toNimifyError(thrown);
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : cause;
  return { code, message, details, cause: text === undefined ? undefined : String(text) };
}

export function fromPlainError({ code, message, details, cause }: PlainError): NimifyError {
  return new NimifyError(code, message, {
    ...(details === undefined ? {} : { details }),
    ...(cause === undefined ? {} : { cause: new Error(cause) }),
  });
}
