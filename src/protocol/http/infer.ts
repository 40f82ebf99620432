import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpDeps } from './deps.ts';
import { answerLater, answerNow, openCall, readTarget } from './infer-call.ts';
import { type InferPath, inferRouteOf } from './infer-path.ts';
import { type Exchange, serveInference } from './inference.ts';
import type { Reply } from './reply.ts';

/** `POST /v2/models/{model}[/versions/{version}]/infer` on node:http. Never rejects. */
export function serveInfer(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HttpDeps,
  path: InferPath,
): Promise<void> {
  return serveInference(request, response, deps, inferRouteOf(path), (exchange) =>
    answer(exchange, deps, path),
  );
}

async function answer(exchange: Exchange, deps: HttpDeps, path: InferPath): Promise<Reply> {
  const { request, tally } = exchange;
  // Before the body: an unknown model is refused without reading what was sent to it.
  const target = readTarget(deps, request, path, tally);
  const body = await exchange.body(target.headerLength);
  const call = openCall(deps, request, target, tally, { bytes: body, owner: exchange.owner() });
  return answerNow(deps, call) ?? answerLater(deps, call, exchange.cancel);
}
