import type { FastifyInstance } from 'fastify';
import { toInferRequest } from '../../infer-request.ts';
import type { HttpDeps } from '../deps.ts';
import { inferText } from '../infer-text.ts';
import { type Exchange, serveInference } from '../inference.ts';
import { JSON_BODY, requireMediaType } from '../media-type.ts';
import { MODEL_PATHS, type ModelParams } from '../model-params.ts';
import type { Reply } from '../reply.ts';
import { encodeGenerated, type GeneratedForm } from './generate-reply.ts';
import { decodeGenerate } from './generate-request.ts';

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
  requireMediaType(exchange.request, JSON_BODY);
  const body = await exchange.body();
  const { clock } = deps;
  const decodeFromNs = clock.nowNs();
  const decoded = decodeGenerate(body, served.model.signature);
  const context = exchange.context(decoded.parameters);
  const request = toInferRequest(decoded, model, version, exchange.owner());
  exchange.phases.decodeNs = clock.nowNs() - decodeFromNs;
  return inferText(deps, exchange, request, context, (response) => encodeGenerated(response, form));
}
