import { type ErrorDetails, NimifyError, toNimifyError } from '../../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../../base/errors/table.ts';
import type { ListenAddress, PortFlag } from '../../../protocol/listen.ts';
import type { Topic } from '../../../protocol/peers.ts';

/** What a process that serves and the one that started it say to each other, over Node's own channel. */
export type FromServing =
  /** What is configured, for all alike: a file may have changed since the first was started. */
  | { readonly kind: 'config'; readonly id: number }
  /** A port is to be opened there, and its connections to be handed over. */
  | { readonly kind: 'listen'; readonly id: number; readonly flag: PortFlag; readonly at: ListenAddress }
  /** Connections of this port may come; no more of them. */
  | { readonly kind: 'open'; readonly flag: PortFlag }
  | { readonly kind: 'shut'; readonly flag: PortFlag }
  /** So many of the connections that were handed over are closed. */
  | { readonly kind: 'closed'; readonly count: number }
  /** The models are loaded. */
  | { readonly kind: 'loaded' }
  /** To be asked of all. */
  | { readonly kind: 'ask'; readonly id: number; readonly topic: Topic; readonly question: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly result: Result };

export type ToServing =
  | { readonly kind: 'done'; readonly id: number; readonly result: Result }
  | { readonly kind: 'question'; readonly id: number; readonly topic: Topic; readonly question: unknown }
  /** The connection itself comes beside it. */
  | { readonly kind: 'connection'; readonly flag: PortFlag };

export type Result = { readonly value: unknown } | { readonly refusal: Refusal };

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterMs: number | undefined;
}

/**
 * What comes of the work. Never rejects.
 * @param onFault called with an error that is not ours, which is not sent
 */
export async function toResult(
  work: () => unknown,
  onFault: (fault: unknown) => void = () => {},
): Promise<Result> {
  try {
    return { value: await work() };
  } catch (thrown) {
    if (!(thrown instanceof NimifyError)) onFault(thrown);
    const { code, message, details, retryAfterMs } = toNimifyError(thrown);
    return { refusal: { code, message, details, retryAfterMs } };
  }
}

/** @throws NimifyError */
export function fromResult(result: Result): unknown {
  if ('value' in result) return result.value;
  const { code, message, details, retryAfterMs } = result.refusal;
  throw new NimifyError(code, message, {
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
