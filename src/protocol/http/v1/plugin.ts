import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import type { HttpDeps } from '../deps.ts';
import { serveInference } from '../inference.ts';
import { registerManagement } from './management.ts';
import { type ModelPath, parseModelPath } from './model-path.ts';
import { modelList, modelStatus } from './models.ts';
import { answerSimple, answerTf } from './predict.ts';

const MODELS = '/v1/models/';
const TF_ROUTE = '/v1/models/{model}:predict';
const TF_VERSION_ROUTE = '/v1/models/{model}/versions/{version}:predict';

/**
 * The simple generation of routes: NIM's management routes, `/v1/predict`, and the predict routes of TensorFlow
 * Serving and KServe v1. Bodies must be left unread by `app`: they are read here, within the server's limits.
 */
export function registerV1(app: FastifyInstance, deps: HttpDeps): void {
  registerManagement(app, deps);

  app.get('/v1/models', () => modelList(deps.registry));

  // The last segment may be `name:verb`, and names may hold colons and encoded slashes: taken apart by hand.
  app.get(`${MODELS}*`, (request) => {
    const { model, version } = pathOf(request, false);
    refuseReading(request, version ?? model, deps);
    return modelStatus(deps.registry, model, version);
  });

  app.post(`${MODELS}*`, async (request, reply) => {
    const { model, version, verb } = pathOf(request, true);
    if (verb !== 'predict') throw noSuchVerb(request, verb);
    reply.hijack();
    const route = version === undefined ? TF_ROUTE : TF_VERSION_ROUTE;
    await serveInference(request.raw, reply.raw, deps, route, (exchange) =>
      answerTf(exchange, deps, model, version),
    );
  });

  app.post('/v1/predict', async (request, reply) => {
    reply.hijack();
    await serveInference(request.raw, reply.raw, deps, '/v1/predict', (exchange) =>
      answerSimple(exchange, deps),
    );
  });
}

function pathOf(request: FastifyRequest, hasVerb: boolean): ModelPath {
  const path = request.url.split('?', 1)[0] ?? '';
  const parsed = parseModelPath(path.slice(MODELS.length), hasVerb);
  if (parsed !== undefined) return parsed;
  throw new NimifyError(
    'NOT_FOUND',
    `no route ${request.method} ${path}; /docs and /openapi.json list the routes`,
    {
      details: { where: 'path', got: path },
    },
  );
}

/** GET of a predict route is a mistake to tell, unless a model is called like that. */
function refuseReading(request: FastifyRequest, name: string, deps: HttpDeps): void {
  if (!/:predict$/i.test(name) || deps.registry.list().some((served) => served.name === name)) return;
  const { method } = request;
  throw new NimifyError(
    'METHOD_NOT_ALLOWED',
    `${request.url.split('?', 1)[0]}: expected POST, got ${method}`,
    {
      details: { where: 'method', allow: ['POST'], got: method },
    },
  );
}

function noSuchVerb(request: FastifyRequest, verb: string | undefined): NimifyError {
  const got = verb === undefined ? 'no verb' : `:${verb}`;
  return new NimifyError(
    'NOT_FOUND',
    `${request.url.split('?', 1)[0]}: expected :predict after the model, got ${got}`,
    { details: { where: 'path', expected: ':predict', got } },
  );
}
