import type { RequestListener, Server } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { requestIdOf } from '../request-id.ts';
import { logFault } from '../tally.ts';
import { registerAdmin } from './admin/plugin.ts';
import type { HttpDeps } from './deps.ts';
import { registerDocs } from './docs/plugin.ts';
import { registerExtensions } from './extensions/plugin.ts';
import { errorReply, toHttpError } from './http-error.ts';
import { watchMethods } from './method-not-allowed.ts';
import { PROBES } from './probes.ts';
import { sendReply } from './reply.ts';
import { registerV1 } from './v1/plugin.ts';
import { registerV2 } from './v2.ts';

export interface Routes {
  readonly handle: RequestListener;
  close(): Promise<void>;
}

/** Model names are path parameters; Fastify's own limit of 100 characters is too short for some. */
const MAX_NAME_LENGTH = 2048;

/** Everything but the infer routes, on Fastify, sharing the port of `server`. */
export async function createRoutes(server: Server, deps: HttpDeps): Promise<Routes> {
  let handle: RequestListener | undefined;
  const app = fastify({
    serverFactory(listener) {
      handle = listener;
      return server;
    },
    // The server has its own handler of broken HTTP; Fastify would add a second that answers as well.
    clientErrorHandler() {},
    frameworkErrors: (error, request, reply) => sendError(error, request, reply, deps),
    genReqId: (request) => requestIdOf(request),
    routerOptions: { maxParamLength: MAX_NAME_LENGTH },
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  leaveBodiesUnread(app);
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, deps));
  app.setNotFoundHandler((request, reply) => sendError(noSuchRoute(request), request, reply, deps));

  const refuseOtherMethods = watchMethods(app, [
    '/v2/models/:model/infer',
    '/v2/models/:model/versions/:version/infer',
  ]);
  registerProbes(app, deps);
  registerV2(app, deps);
  registerExtensions(app, deps);
  registerV1(app, deps);
  registerAdmin(app, deps);
  registerDocs(app, deps);
  // A plugin, because plugins load in order: by then those of the docs have added their routes.
  app.register(async () => refuseOtherMethods());
  await app.ready();
  if (handle === undefined) throw new Error('fastify did not call its server factory');
  return { handle, close: () => app.close() };
}

/** Again, for what the short way leaves: a query, other methods, which are told what is allowed. */
function registerProbes(app: FastifyInstance, { registry }: HttpDeps): void {
  for (const [path, probe] of PROBES) {
    app.get(path, (_request, reply) => {
      const { status, body } = probe(registry);
      return reply.code(status).send(body);
    });
  }
}

/** Routes that want a body read it with `readBody(request.raw)`: one set of limits for all. */
function leaveBodiesUnread(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

function noSuchRoute(request: FastifyRequest): NimifyError {
  const path = request.url.split('?', 1)[0] ?? '';
  return new NimifyError(
    'NOT_FOUND',
    `no route ${request.method} ${path}; /docs and /openapi.json list the routes`,
    {
      details: { where: 'path', got: path },
    },
  );
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, deps: HttpDeps): void {
  const error = toHttpError(thrown);
  logFault(deps, error, request.id, request.routeOptions?.url ?? '');
  // Past Fastify, because the rest of an unread body needs care that it does not take.
  reply.hijack();
  const { receiveTimeoutMs } = deps.options;
  sendReply(request.raw, reply.raw, errorReply(error, request.id), { clock: deps.clock, receiveTimeoutMs });
}
