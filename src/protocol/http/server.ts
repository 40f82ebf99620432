import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { answerClientError } from './client-error.ts';
import type { HttpDeps } from './deps.ts';
import { deferContinue } from './expect-continue.ts';
import { errorReply } from './http-error.ts';
import { serveInfer } from './infer.ts';
import { matchInferPath, toOriginForm } from './infer-path.ts';
import { type ListenAddress, listen } from './listen.ts';
import { sendReply } from './reply.ts';
import { requestIdOf } from './request-context.ts';
import type { Routes } from './routes.ts';

export interface HttpServer {
  /**
   * Port 0 picks a free one. Infer routes answer from then on; the others a moment later, when they are loaded.
   * @throws NimifyError CONFIG_INVALID when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<ListenAddress>;
  /** From now on every answer ends its connection; idle connections are closed. New ones are still taken. */
  startDraining(): void;
  /**
   * Waits at most `graceMs` for running requests, then closes what is left. While it waits the port stays open:
   * probes see what is true, and new requests are told to go elsewhere instead of finding nobody.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Longer than the idle time of common load balancers (60 s), which must be the ones to close. */
const KEEP_ALIVE_MS = 75_000;

export function createHttpServer(deps: HttpDeps): HttpServer {
  const { clock } = deps;
  const { receiveTimeoutMs } = deps.options;
  /** Every open connection, and the answer to the newest request on it. */
  const connections = new Map<Socket, ServerResponse | undefined>();
  let draining = false;
  let closing = false;
  let routes: Promise<Routes> | undefined;

  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: receiveTimeoutMs,
    // Bodies have their own timer, with an answer; this ends those that nobody reads.
    requestTimeout: receiveTimeoutMs * 3,
    connectionsCheckingInterval: Math.min(5000, Math.max(100, receiveTimeoutMs / 4)),
  });
  server.on('request', dispatch);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    deferContinue(request, response);
    dispatch(request, response);
  });
  server.on('connection', (socket: Socket) => {
    // Each request in flight listens once, and a client may pipeline any number of them.
    socket.setMaxListeners(0);
    connections.set(socket, undefined);
    socket.on('close', () => connections.delete(socket));
  });
  const broken = new WeakSet<Socket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (broken.has(socket as Socket)) return;
    broken.add(socket as Socket);
    answerClientError(error, socket as Socket, connections.get(socket as Socket));
  });

  function dispatch(request: IncomingMessage, response: ServerResponse): void {
    connections.set(request.socket, response);
    if (draining) response.shouldKeepAlive = false;
    request.url = toOriginForm(request.url ?? '/');
    const isPost = request.method === 'POST';
    const path = isPost ? matchInferPath(request.url) : undefined;
    if (closing && isPost) refuse(request, response, shuttingDown());
    else if (path !== undefined) void serveInfer(request, response, deps, path);
    else void dispatchToRoutes(request, response);
  }

  async function dispatchToRoutes(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const loaded = await routes?.catch(() => undefined);
    if (loaded !== undefined) loaded.handle(request, response);
    else refuse(request, response, notLoaded());
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: NimifyError): void {
    sendReply(request, response, errorReply(error, requestIdOf(request)), { clock, receiveTimeoutMs });
  }

  /** After the port is open: Fastify and what it brings take longer to load than everything before. */
  async function loadRoutes(): Promise<Routes> {
    const { createRoutes } = await import('./routes.ts');
    return createRoutes(server, deps);
  }

  function startDraining(): void {
    draining = true;
    for (const response of connections.values()) {
      if (response !== undefined && !response.headersSent) response.shouldKeepAlive = false;
    }
    server.closeIdleConnections();
  }

  /** Until nothing is being answered any more, whatever comes meanwhile. */
  async function allAnswered(): Promise<void> {
    for (let busy = findBusy(); busy !== undefined; busy = findBusy()) {
      const [socket, response] = busy;
      // The socket too: a queued answer of a pipelined request hears nothing when the connection ends.
      await new Promise<unknown>((resolve) => {
        response.once('close', resolve);
        socket.once('close', resolve);
      });
    }
  }

  function findBusy(): readonly [Socket, ServerResponse] | undefined {
    for (const [socket, response] of connections) {
      if (response !== undefined && !response.closed) return [socket, response];
    }
    return undefined;
  }

  return {
    async listen(host, port) {
      const address = await listen(server, host, port, '--http-port');
      routes = loadRoutes();
      routes.catch((err: unknown) => deps.log.error({ err }, 'the HTTP routes could not be loaded'));
      return address;
    },
    startDraining,
    async close({ graceMs }) {
      closing = true;
      startDraining();
      if (server.listening) {
        let isOver = false;
        const timer = clock.setTimer(() => {
          isOver = true;
          server.closeAllConnections();
        }, graceMs);
        await allAnswered();
        // Node counts a connection that never sent a byte as busy, and would wait for it.
        for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        if (isOver) server.closeAllConnections();
        await closed;
        timer.cancel();
      }
      await (await routes?.catch(() => undefined))?.close();
    },
  };
}

function shuttingDown(): NimifyError {
  return new NimifyError('MODEL_NOT_READY', 'this server is shutting down; send the request to another one', {
    retryAfterMs: 1000,
  });
}

/** The cause is in the log, once. */
function notLoaded(): NimifyError {
  return new NimifyError(
    'INTERNAL',
    'the routes of this server could not be loaded; the log has the details',
  );
}
