import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpOptions } from './deps.ts';
import { deferContinue } from './expect-continue.ts';
import { createFakeDeps } from './fake-registry.ts';
import { type Exchange, serveInference } from './inference.ts';
import { jsonReply, type Reply } from './reply.ts';

/** Test support: one route of node:http, whatever answers there. */

const servers: Server[] = [];

/** For `afterEach`. */
export function closeRoutes(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
}

/** A bare server whose one route is served by `answer`. */
export async function serveRoute(
  answer: (exchange: Exchange) => Promise<Reply>,
  options: Partial<HttpOptions> = {},
) {
  const deps = createFakeDeps([], options);
  const server = createServer((request, response) => {
    void serveInference(request, response, deps, '/test', answer);
  });
  server.on('checkContinue', (request, response) => {
    deferContinue(request, response);
    void serveInference(request, response, deps, '/test', answer);
  });
  server.on('connection', (socket) => socket.setMaxListeners(0));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { deps, port, server };
}

/** Answers with the body's length and its first bytes. */
export async function measure(exchange: Exchange): Promise<Reply> {
  const body = await exchange.body();
  return jsonReply(200, { length: body.length, head: Buffer.from(body.subarray(0, 5)).toString() });
}
