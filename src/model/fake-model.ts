import { BORROWED } from '../base/tensor/owner.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { RequestContext } from './context.ts';
import type { Model, ModelState } from './contract.ts';
import type { InferRequest, InferResponse } from './request.ts';
import type { Signature } from './signature.ts';

export interface FakeModelOptions {
  readonly name?: string;
  readonly version?: string;
  readonly signature?: Signature;
  readonly state?: ModelState;
  readonly deterministic?: boolean;
  /** The outputs, or the whole response, for a request. Default: the inputs come back as outputs. */
  readonly answer?: (
    request: InferRequest,
    context: RequestContext,
  ) => readonly Tensor[] | InferResponse | Promise<readonly Tensor[] | InferResponse>;
  /** The outputs for a request that is answered at once; undefined: not this one. Default: there is no such way. */
  readonly answerNow?: (
    request: InferRequest,
    context: RequestContext,
  ) => readonly Tensor[] | InferResponse | undefined;
  /** Default: nothing is known beforehand. */
  readonly turnAway?: Model['turnAway'];
}

export interface FakeModel extends Model {
  /** Every request it was asked, in order; of those that were to be answered at once only what was answered. */
  readonly requests: readonly InferRequest[];
  readonly contexts: readonly RequestContext[];
  readonly closedWith: { readonly graceMs: number } | undefined;
  setState(state: ModelState): void;
}

/** A Model without an engine, for tests of whatever wraps or calls one. */
export function createFakeModel(options: FakeModelOptions = {}): FakeModel {
  const { name = 'fake', version = '1' } = options;
  const requests: InferRequest[] = [];
  const contexts: RequestContext[] = [];
  const listeners = new Set<(state: ModelState) => void>();
  let state = options.state ?? 'ready';
  let closedWith: { readonly graceMs: number } | undefined;
  const { answerNow } = options;

  function note(request: InferRequest, context: RequestContext): void {
    requests.push(request);
    contexts.push(context);
  }

  function respond(request: InferRequest, answer: readonly Tensor[] | InferResponse): InferResponse {
    if (!isOutputs(answer)) return answer;
    return {
      model: name,
      version,
      id: request.id,
      outputs: answer,
      parameters: {},
      report: { cache: 'none', computeNs: 0, cacheable: true },
      owner: BORROWED,
    };
  }

  return {
    kind: 'fake',
    name,
    version,
    signature: options.signature ?? { inputs: [], outputs: [], batchAxis: 'none' },
    deterministic: options.deterministic ?? true,
    varies: [],
    inner: [],
    requests,
    contexts,
    get state() {
      return state;
    },
    get closedWith() {
      return closedWith;
    },
    setState(next) {
      state = next;
      for (const listener of listeners) listener(next);
    },
    onState(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async infer(request, context) {
      note(request, context);
      return respond(request, (await options.answer?.(request, context)) ?? request.inputs);
    },
    ...(answerNow === undefined
      ? {}
      : {
          inferNow(request: InferRequest, context: RequestContext) {
            const answer = answerNow(request, context);
            if (answer === undefined) return undefined;
            note(request, context);
            return respond(request, answer);
          },
        }),
    ...(options.turnAway === undefined ? {} : { turnAway: options.turnAway }),
    async close(how) {
      closedWith = how;
      state = 'draining';
    },
  };
}

function isOutputs(answer: readonly Tensor[] | InferResponse): answer is readonly Tensor[] {
  return Array.isArray(answer);
}
