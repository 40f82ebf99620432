import type { FastifyInstance } from 'fastify';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { createOwner } from '../../../base/tensor/owner.ts';
import type { InferResponse } from '../../../model/request.ts';
import { toInferRequest } from '../../infer-request.ts';
import type { HttpDeps } from '../deps.ts';
import { type Exchange, serveInference } from '../inference.ts';
import { requireMediaType } from '../media-type.ts';
import { MODEL_PATHS, type ModelParams } from '../model-params.ts';
import type { Reply } from '../reply.ts';
import { encodeGenerated, type GeneratedForm } from './generate-reply.ts';
import { decodeGenerate } from './generate-request.ts';

/** The second is what curl's `-d` says when it is not told otherwise; the body is JSON all the same. */
const ACCEPTED = ['application/json', 'application/x-www-form-urlencoded'];

const FORMS = [
  ['generate', 'json'],
  ['generate_stream', 'event-stream'],
] as const;

/**
 * Triton's generate extension (server repository, docs/protocol/extension_generate.md): values by input name in one
 * flat object, values by output name back. A model here gives one answer to a request, so a stream has one event.
 */
export function registerGenerate(app: FastifyInstance, deps: HttpDeps): void {
  for (const path of MODEL_PATHS) {
    for (const [verb, form] of FORMS) {
      const url = `${path}/${verb}`;
      const route = url.replace(/:(\w+)/g, '{$1}');
      app.post<{ Params: ModelParams }>(url, async (request, reply) => {
        reply.hijack();
        await serveInference(request.raw, reply.raw, deps, route, (exchange) =>
          answer(exchange, deps, request.params, form),
        );
      });
    }
  }
}

async function answer(
  exchange: Exchange,
  deps: HttpDeps,
  { model, version }: ModelParams,
  form: GeneratedForm,
): Promise<Reply> {
  const served = deps.registry.find(model, version);
  exchange.setModel(served);
  requireMediaType(exchange.request, ACCEPTED);
  const body = await exchange.body();
  const { clock } = deps;
  const decodeFromNs = clock.nowNs();
  const decoded = decodeGenerate(body, served.model.signature);
  const context = exchange.context(decoded.parameters);
  const owner = createOwner();
  const request = toInferRequest(decoded, model, version, owner);
  exchange.phases.decodeNs = clock.nowNs() - decodeFromNs;
  try {
    const response = await deps.registry.infer(request, context);
    if (exchange.phases.computeNs === 0) exchange.phases.computeNs = response.report.computeNs;
    return encodeAndLetGo(response, form, exchange, deps);
  } finally {
    owner.release();
  }
}

/** The text is a copy of the outputs, so their owner is let go at once. */
function encodeAndLetGo(
  response: InferResponse,
  form: GeneratedForm,
  exchange: Exchange,
  { clock }: HttpDeps,
): Reply {
  try {
    if (exchange.cancel.cancelled) {
      throw new NimifyError('CANCELLED', 'the client left before its answer was there');
    }
    const encodeFromNs = clock.nowNs();
    const reply = encodeGenerated(response, form);
    exchange.phases.encodeNs = clock.nowNs() - encodeFromNs;
    return reply;
  } finally {
    response.owner.release();
  }
}
