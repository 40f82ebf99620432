import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createPhases, type RequestContext } from '../../model/context.ts';
import type { Parameters } from '../../model/request.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { readBody } from './body.ts';
import type { HttpDeps } from './deps.ts';
import { errorReply, toHttpError } from './http-error.ts';
import { compressReply, type Reply, sendReply } from './reply.ts';
import { contextFor, type RequestLife, requestIdOf } from './request-context.ts';

/** One inference request, as the code that answers it sees it. */
export interface Exchange extends RequestLife {
  readonly request: IncomingMessage;
  /** Call it as soon as the model is known: it names the model in the metrics. */
  setModel(served: ServedModel): void;
  /**
   * The body, decompressed, in a buffer of its own. `alignAt`: offset that is to lie on a multiple of 8.
   * @throws NimifyError as `readBody`
   */
  body(alignAt?: number): Promise<Uint8Array>;
  /** @throws NimifyError INVALID_INPUT: the deadline or the priority */
  context(parameters: Parameters): RequestContext;
}

/**
 * Serves one inference request on any route, so that all of them share limits, request ids, cancellation,
 * error shape, compression and metrics: `answer` reads, infers and encodes; what it throws becomes the error
 * answer. Never rejects.
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
  const { clock, instruments, accessLog } = deps;
  const { socket } = request;
  const cancel = createCancelSource();
  const requestId = requestIdOf(request);
  const arrivedAtNs = clock.nowNs();
  const phases = createPhases();
  let model = '';
  let version = '';
  let timeoutMs = deps.options.defaultTimeoutMs;
  let code: RequestOutcome['code'] = 'OK';

  // The socket, not the response: a queued answer of a pipelined request hears nothing when the client leaves.
  const onClose = () => cancel.cancel('client-left');
  if (socket.destroyed) onClose();
  else socket.on('close', onClose);
  instruments.begin();
  try {
    const exchange: Exchange = {
      requestId,
      arrivedAtNs,
      cancel,
      phases,
      request,
      setModel(served) {
        model = served.name;
        version = served.version;
        timeoutMs = served.defaultTimeoutMs ?? timeoutMs;
      },
      body(alignAt) {
        const { maxBodyBytes, receiveTimeoutMs } = deps.options;
        const limits = { maxBodyBytes, receiveTimeoutMs, clock };
        return readBody(request, alignAt === undefined ? limits : { ...limits, alignAt });
      },
      context: (parameters) => contextFor(request, timeoutMs, exchange, parameters),
    };
    const reply = await answer(exchange);
    const finished = compressReply(request, reply);
    send(finished instanceof Promise ? await finished : finished);
    if (socket.destroyed) code = 'CANCELLED';
  } catch (thrown) {
    const error = toHttpError(thrown);
    code = socket.destroyed ? 'CANCELLED' : error.code;
    if (!socket.destroyed) logFault(deps, error, requestId, route);
    send(errorReply(error, requestId));
  } finally {
    socket.off('close', onClose);
    const { decodeNs, queueNs, computeNs, encodeNs } = phases;
    const totalNs = clock.nowNs() - arrivedAtNs;
    const outcome = { model, version, route, code, totalNs, decodeNs, queueNs, computeNs, encodeNs };
    instruments.end(outcome);
    accessLog.note(outcome, requestId);
  }

  function send(reply: Reply): void {
    const { receiveTimeoutMs } = deps.options;
    sendReply(request, response, withRequestId(reply, requestId), { clock, receiveTimeoutMs });
  }
}

function withRequestId(reply: Reply, requestId: string): Reply {
  return { ...reply, headers: { ...reply.headers, 'x-request-id': requestId } };
}

/** Faults of the client are counted, not logged; a fault of ours goes to the log with its cause. */
export function logFault(deps: HttpDeps, error: NimifyError, requestId: string, route: string): void {
  if (error.httpStatus !== 500 && error.code !== 'ENGINE_CRASHED') return;
  deps.log.error({ err: error, requestId, route, code: error.code }, 'request failed');
}
