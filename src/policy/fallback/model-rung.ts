import type { Model } from '../../model/contract.ts';
import type { InferRequest } from '../../model/request.ts';
import { validateRequest } from '../../model/validate.ts';
import type { Rung } from './fallback.ts';

/**
 * Another model or version that is served here. It is asked below its own ladder, so that two may stand in for each other.
 *
 * @param find what is served under that name now. @throws where there is none: the next rung is asked then
 */
export function createModelRung(name: string, find: () => Model): Rung {
  function open(request: InferRequest): { readonly model: Model; readonly asked: InferRequest } {
    const model = belowLadder(find());
    const { version: _, ...rest } = request;
    const asked: InferRequest = { ...rest, model: model.name };
    validateRequest(model.signature, asked);
    return { model, asked };
  }

  return {
    name,
    answer(request, context) {
      const { model, asked } = open(request);
      return model.infer(asked, context);
    },
    answerNow(request, context) {
      const { model, asked } = open(request);
      return model.inferNow?.(asked, context);
    },
  };
}

function belowLadder(model: Model): Model {
  const [inner] = model.inner;
  if (inner === undefined) return model;
  if (model.kind === 'fallback') return inner;
  return inner.kind === 'fallback' ? inner.inner[0]! : model;
}
