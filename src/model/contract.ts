import type { NimifyError } from '../base/errors/nimify-error.ts';
import type { RequestContext } from './context.ts';
import type { InferRequest, InferResponse } from './request.ts';
import type { Signature } from './signature.ts';

export type ModelState = 'loading' | 'ready' | 'degraded' | 'draining' | 'failed';

/** Does a model in this state take requests? */
export function takesRequests(state: ModelState): boolean {
  return state === 'ready' || state === 'degraded';
}

/**
 * Everything that answers is a Model: an engine's loaded artifact, a policy around one, an ensemble of many,
 * a remote server. They have this one shape, so any composes with any.
 */
export interface Model {
  /** What it is, for drawing a stack: `engine`, `deadline`, `batching`, ... */
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  /** Content hash over everything inside; absent where the inside cannot be known (a remote). */
  readonly revision?: string;
  readonly signature: Signature;
  readonly state: ModelState;
  /** Calls `listener` on every change of state; returns the way to stop listening. */
  onState(listener: (state: ModelState) => void): () => void;
  /** Equal requests get equal answers. */
  readonly deterministic: boolean;
  /** Headers or principal fields that an answer depends on. */
  readonly varies: readonly string[];
  /** The Models this one is built from, outermost first. */
  readonly inner: readonly Model[];
  /**
   * Answers one request. Never mutates it. Keeps no view over its buffers after the promise settles, unless it
   * retained `request.owner`. The caller releases the response's owner when it has written the answer out.
   * @throws NimifyError
   */
  infer(request: InferRequest, context: RequestContext): Promise<InferResponse>;
  /**
   * The same answer before it returns, or undefined: "not at once; call `infer`". A call that gave undefined has had
   * no effect: nothing is counted, nothing held. It never waits; of `context.cancel` it asks only whether it happened.
   * The request stays the caller's: nothing in it is kept. Absent where no answer can ever be given at once.
   * @throws NimifyError what `infer` would reject with
   */
  inferNow?(request: InferRequest, context: RequestContext): InferResponse | undefined;
  /**
   * Why any request of this context would be refused now, whatever else it says; undefined: one might be let in. To be
   * asked before a request is decoded, which costs more than all the rest of a refusal. What is given counts as what
   * `infer` rejects with. `isPlain` is asked last: does the request say nothing of deadline and priority that the
   * context does not? Absent where nothing can be known beforehand.
   */
  turnAway?(context: RequestContext, isPlain: () => boolean): NimifyError | undefined;
  /** Takes no more requests, lets the running ones finish for at most `graceMs`, then frees everything. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** A Model that wraps another: state is keyed by backend and outlives a reload. */
export type Policy = (model: Model) => Model;
