import type { RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { clientLeft } from '../refusals.ts';
import type { HttpDeps } from './deps.ts';
import type { Exchange } from './inference.ts';
import { countAnswer, type Reply, withFallback } from './reply.ts';

/**
 * Asks the model, and writes its answer as text, which is a copy: the request's buffers and the answer's are let go
 * when it is written.
 * @throws NimifyError
 */
export async function inferText(
  { registry, clock, memoryRoom }: HttpDeps,
  { phases, cancel, tally }: Exchange,
  request: InferRequest,
  context: RequestContext,
  encode: (response: InferResponse) => Reply,
): Promise<Reply> {
  try {
    const response = await registry.infer(request, context);
    try {
      if (phases.computeNs === 0) phases.computeNs = response.report.computeNs;
      if (cancel.cancelled) throw clientLeft();
      const encodeFromNs = clock.nowNs();
      const reply = countAnswer(withFallback(encode(response), response), memoryRoom, tally.model);
      phases.encodeNs = clock.nowNs() - encodeFromNs;
      return reply;
    } finally {
      response.owner.release();
    }
  } finally {
    request.owner.release();
  }
}
