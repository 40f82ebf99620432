import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import { type BufferOwner, createOwner } from '../../base/tensor/owner.ts';
import { type CancelSource, createCancelSource } from '../../base/util/cancel.ts';
import type { RequestContext } from '../../model/context.ts';
import type { Parameters } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import type { MemoryClaim } from '../memory-claims.ts';
import { requestIdOf } from '../request-id.ts';
import { countOutcome, createTally, nameModel, type Tally } from '../tally.ts';
import { readBody } from './body.ts';
import { compressReply } from './compress-reply.ts';
import type { HttpDeps } from './deps.ts';
import { failureReply } from './failure-reply.ts';
import { errorReply, toHttpError } from './http-error.ts';
import { type Reply, sendReply } from './reply.ts';
import { contextFor, type RequestLife } from './request-context.ts';

/** One inference request, as the code that answers it sees it. */
export interface Exchange extends RequestLife {
  readonly request: IncomingMessage;
  readonly tally: Tally;
  /** Call it as soon as the model is known: it names the model in the metrics. */
  setModel(served: ServedModel): void;
  /**
   * The body, decompressed, in a buffer of its own. `alignAt`: offset that is to lie on a multiple of 8.
   * @throws NimifyError as `readBody`
   */
  body(alignAt?: number): Promise<Uint8Array>;
  /** Of the body, for the request that is made of it. Where none is asked for, it is let go when the answer is there. */
  owner(): BufferOwner;
  /** @throws NimifyError INVALID_INPUT: the deadline or the priority */
  context(parameters: Parameters): RequestContext;
}

/**
 * Serves one inference request on any route of node:http, so that all of them share limits, request ids,
 * cancellation, error shape, compression and metrics: `answer` reads, infers and encodes; what it throws becomes
 * the error answer. Never rejects.
 *
 * @param route template for the metrics, such as `/v2/models/{model}/infer`
 */
export async function serveInference(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HttpDeps,
  route: string,
  answer: (exchange: Exchange) => Promise<Reply>,
): Promise<void> {
  const { clock } = deps;
  const { socket } = request;
  const requestId = requestIdOf(request);
  const tally = createTally(deps, route, requestId);
  const { arrivedAtNs, phases } = tally;
  let cancel: CancelSource | undefined;
  let code: RequestOutcome['code'] = 'OK';
  let claim: MemoryClaim | undefined;
  let isOwned = false;

  // The socket, not the response: a queued answer of a pipelined request hears nothing when the client leaves.
  const onClose = () => cancel?.cancel('client-left');
  deps.instruments.begin();
  try {
    const exchange: Exchange = {
      requestId,
      arrivedAtNs,
      phases,
      request,
      tally,
      /** Made when it is first asked for: most small requests are answered before anybody could leave. */
      get cancel() {
        if (cancel !== undefined) return cancel;
        cancel = createCancelSource();
        if (socket.destroyed) onClose();
        else socket.on('close', onClose);
        return cancel;
      },
      setModel: (served) => nameModel(tally, served),
      async body(alignAt) {
        const { maxBodyBytes, receiveTimeoutMs } = deps.options;
        const limits = { maxBodyBytes, receiveTimeoutMs, clock, memoryRoom: deps.memoryRoom };
        const body = await readBody(request, alignAt === undefined ? limits : { ...limits, alignAt });
        claim = body.claim;
        return body.bytes;
      },
      owner() {
        isOwned = true;
        return createOwner(() => claim?.release());
      },
      context: (parameters) => contextFor(request, tally.timeoutMs, exchange, parameters),
    };
    const reply = await answer(exchange);
    const finished = compressReply(request, reply, deps.memoryRoom);
    send(finished instanceof Promise ? await finished : finished);
    if (socket.destroyed) code = 'CANCELLED';
  } catch (thrown) {
    const error = toHttpError(thrown);
    code = socket.destroyed ? 'CANCELLED' : error.code;
    send(socket.destroyed ? errorReply(error, requestId) : failureReply(deps, tally, error));
  } finally {
    socket.off('close', onClose);
    if (!isOwned) claim?.release();
    countOutcome(deps, tally, code);
  }

  function send(reply: Reply): void {
    const { receiveTimeoutMs } = deps.options;
    sendReply(request, response, withRequestId(reply, requestId), { clock, receiveTimeoutMs });
  }
}

function withRequestId(reply: Reply, requestId: string): Reply {
  return { ...reply, headers: { ...reply.headers, 'x-request-id': requestId } };
}
