import type { FastifyInstance, FastifyReply } from 'fastify';
import type { HttpDeps } from '../deps.ts';
import { buildOpenApi } from './openapi.ts';
import { DOCS_PAGE, DOCS_SCRIPT } from './page.ts';
import { ASSETS, readAsset } from './swagger-ui.ts';

/**
 * Everything that the page loads comes from this server. Styles may stand in the markup because Swagger UI
 * writes them there; scripts may not. Pictures as data are the icons in its style sheet.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `/openapi.json` for the models served now, and `/docs`, which shows it without the internet. */
export function registerDocs(app: FastifyInstance, deps: HttpDeps): void {
  for (const path of ['/', '/docs/']) {
    app.get(path, (_request, reply) => reply.redirect('/docs', 302));
  }

  app.get('/openapi.json', (_request, reply) => {
    const document = buildOpenApi(deps.registry.list(), { version: deps.version });
    return reply.header('cache-control', 'no-cache').send(document);
  });

  app.get('/docs', (_request, reply) => {
    reply.header('content-security-policy', PAGE_POLICY).header('referrer-policy', 'no-referrer');
    return sendFile(reply, 'text/html; charset=utf-8', DOCS_PAGE);
  });

  app.get('/docs/docs.js', (_request, reply) =>
    sendFile(reply, 'text/javascript; charset=utf-8', DOCS_SCRIPT),
  );

  for (const { name, contentType } of ASSETS) {
    app.get(`/docs/${name}`, async (_request, reply) => {
      // The package's files change with nimify's version only.
      reply.header('cache-control', 'public, max-age=86400');
      return sendFile(reply, contentType, await readAsset(name));
    });
  }
}

function sendFile(reply: FastifyReply, contentType: string, content: string | Uint8Array): FastifyReply {
  return reply.header('content-type', contentType).header('x-content-type-options', 'nosniff').send(content);
}
