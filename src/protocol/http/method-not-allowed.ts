import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NimifyError } from '../../base/errors/nimify-error.ts';

/**
 * Notes every route that is registered from here on. The function it returns gives each path the methods that it
 * lacks: they answer 405 with `Allow` (RFC 9110, 15.5.6). Call it when the last route is there.
 *
 * @param postElsewhere paths whose POST is served outside of Fastify
 */
export function watchMethods(app: FastifyInstance, postElsewhere: readonly string[]): () => void {
  const methodsOf = new Map<string, Set<string>>();
  for (const url of postElsewhere) methodsOf.set(url, new Set(['POST']));
  let watching = true;

  app.addHook('onRoute', ({ url, method }) => {
    if (!watching) return;
    const methods = methodsOf.get(url) ?? new Set();
    for (const one of [method].flat()) methods.add(one);
    methodsOf.set(url, methods);
  });

  return () => {
    watching = false;
    for (const [url, methods] of methodsOf) {
      const lacking = app.supportedMethods.filter((method) => !methods.has(method));
      app.route({
        method: lacking,
        url,
        exposeHeadRoute: false,
        handler(request) {
          throw methodNotAllowed(request, [...methods].sort());
        },
      });
    }
  };
}

const LONGEST_PATH = 256;

/** Names the path that was asked for, and not the pattern of the route: `/v2/models/iris`, no `:model`. */
function methodNotAllowed({ method, url }: FastifyRequest, allow: readonly string[]): NimifyError {
  const path = url.split('?', 1)[0]!.slice(0, LONGEST_PATH);
  return new NimifyError('METHOD_NOT_ALLOWED', `${path}: expected ${allow.join(' or ')}, got ${method}`, {
    details: { where: 'method', allow, got: method },
  });
}
