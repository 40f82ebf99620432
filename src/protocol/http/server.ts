import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import { invalidInput, NimifyError } from '../../base/errors/nimify-error.ts';
import type { ListenAddress } from '../listen.ts';
import { createRoomyPool } from '../memory-pool.ts';
import { quietTurn } from '../quiet-turn.ts';
import { shuttingDown } from '../refusals.ts';
import { requestIdOf } from '../request-id.ts';
import { answerClientError } from './client-error.ts';
import type { HttpDeps } from './deps.ts';
import { deferContinue } from './expect-continue.ts';
import { errorReply } from './http-error.ts';
import { serveInfer } from './infer.ts';
import { matchInferPath, toOriginForm } from './infer-path.ts';
import { createPipelines } from './pipelines.ts';
import { answerProbe } from './probes.ts';
import { createReader } from './reader/reader.ts';
import { sendReply } from './reply.ts';
import type { Routes } from './routes.ts';
import { cutSlowReaders } from './slow-readers.ts';

export interface HttpServer {
  /**
   * Port 0 picks a free one. Infer and health routes answer from then on; the others are loaded when the first
   * of them is asked for.
   * @throws NimifyError CONFIG_INVALID when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<ListenAddress>;
  /**
   * From now on every answer ends its connection; idle connections are closed, as soon as what has arrived on
   * them is read. New ones are still taken.
   */
  startDraining(): void;
  /**
   * Waits at most `graceMs` for running requests, then closes what is left. While it waits the port stays open:
   * probes see what is true, and new requests are told to go elsewhere instead of finding nobody.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Longer than the idle time of common load balancers (60 s), which must be the ones to close. */
const KEEP_ALIVE_MS = 75_000;

/** Connections are looked at for clients that keep them waiting this often, or more often where little is waited. */
const MOST_BETWEEN_CHECKS_MS = 5000;

/** Pipelined requests of one connection that are worked on at once, beside the first. */
const MOST_PIPELINED = 8;

/** Share of the connections from which on it is those that say nothing that take the others' room. */
const MANY_SILENT = 0.1;

export function createHttpServer(deps: HttpDeps): HttpServer {
  const { clock, tls } = deps;
  const { receiveTimeoutMs, sendTimeoutMs } = deps.options;
  /** Every open connection, and the answer to the newest request on it. */
  const connections = new Map<Socket, ServerResponse | undefined>();
  /** Connections and requests so far. */
  let arrivals = 0;
  let draining = false;
  let closing = false;
  let routes: Promise<Routes> | undefined;

  const checkIntervalMs = Math.min(MOST_BETWEEN_CHECKS_MS, Math.max(100, receiveTimeoutMs / 4));
  const settings = {
    // Node would refuse with an empty answer; `take` says what is wrong.
    requireHostHeader: false,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: receiveTimeoutMs,
    // Bodies have their own timer, with an answer; this ends those that nobody reads.
    requestTimeout: receiveTimeoutMs * 3,
    connectionsCheckingInterval: checkIntervalMs,
  };
  // Half-open, as node:http makes its sockets.
  const secure = tls && createSecureServer({ ...settings, ...tls.options, allowHalfOpen: true });
  const server: Server = secure ?? createServer(settings);
  server.on('request', take);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    deferContinue(request, response);
    take(request, response);
  });
  const accepts = secure === undefined ? 'connection' : 'secureConnection';
  const giveToNode = takeOverConnections(server, accepts);
  const attached = secure && tls?.attach(secure);
  const door = deps.connectionRoom.open(server, makeRoom, () => reader?.closeOldestSilent());
  const reader =
    deps.options.reader === 'node'
      ? undefined
      : createReader(deps, {
          pool: createRoomyPool(deps),
          keepAliveMs: KEEP_ALIVE_MS,
          checkIntervalMs,
          isDraining: () => draining,
          onRequest() {
            arrivals += 1;
          },
          handOver: giveToNode,
        });
  server.on(accepts, (accepted: Socket) => {
    const socket = reader?.take(accepted) ?? accepted;
    // Each request in flight listens once, and a client may pipeline any number of them.
    socket.setMaxListeners(0);
    arrivals += 1;
    connections.set(socket, undefined);
    socket.on('close', () => connections.delete(socket));
    if (secure === undefined) countIn(socket);
    if (reader === undefined) giveToNode(socket, NO_BYTES);
  });
  // Those too whose handshake is not done.
  if (secure !== undefined) secure.on('connection', countIn);
  const broken = new WeakSet<Socket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (broken.has(socket as Socket)) return;
    broken.add(socket as Socket);
    answerClientError(error, socket as Socket, connections.get(socket as Socket));
  });

  const pipeline = createPipelines(dispatch, MOST_PIPELINED);
  const stopCutting = cutSlowReaders(() => connections.keys(), { clock, sendTimeoutMs });

  function countIn(socket: Socket): void {
    door.entered();
    socket.on('close', door.left);
  }

  function take(request: IncomingMessage, response: ServerResponse): void {
    const last = connections.get(request.socket);
    arrivals += 1;
    connections.set(request.socket, response);
    if (draining) response.shouldKeepAlive = false;
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      refuse(request, response, withoutHost());
    } else if (closing && request.method === 'POST') refuse(request, response, shuttingDown());
    else if (last === undefined || last.writableFinished) dispatch(request, response);
    else pipeline(request, response);
  }

  function dispatch(request: IncomingMessage, response: ServerResponse): void {
    request.url = toOriginForm(request.url ?? '/');
    const path = request.method === 'POST' ? matchInferPath(request.url) : undefined;
    if (path !== undefined) void serveInfer(request, response, deps, path);
    else void dispatchToRoutes(request, response);
  }

  async function dispatchToRoutes(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (answerProbe(request, response, deps)) return;
    const loaded = await loadRoutes().catch(() => undefined);
    if (loaded !== undefined) loaded.handle(request, response);
    else refuse(request, response, notLoaded());
  }

  function refuse(request: IncomingMessage, response: ServerResponse, error: NimifyError): void {
    sendReply(request, response, errorReply(error, requestIdOf(request)), { clock, receiveTimeoutMs });
  }

  /**
   * On the first request for one of them: Fastify and what it brings take as long to load as all the rest of a
   * start, and a fifth of its memory, and many servers are never asked for more than inference and health.
   */
  function loadRoutes(): Promise<Routes> {
    if (routes === undefined) {
      routes = import('./routes.ts').then(({ createRoutes }) => createRoutes(server, deps));
      routes.catch((err: unknown) => deps.log.error({ err }, 'the HTTP routes could not be loaded'));
    }
    return routes;
  }

  function readArrived(): Promise<void> {
    return quietTurn({ clock, arrivals: () => arrivals });
  }

  function startDraining(): void {
    draining = true;
    for (const response of connections.values()) {
      if (response !== undefined && !response.headersSent) response.shouldKeepAlive = false;
    }
    void readArrived().then(closeIdle);
  }

  /** Clients that connect and say nothing do not take the connections of those that are at work. */
  function makeRoom(): void {
    if (reader === undefined || reader.closeSilent() < MANY_SILENT) closeIdle();
  }

  function closeIdle(): void {
    reader?.closeIdle();
    server.closeIdleConnections();
  }

  function destroyAll(): void {
    reader?.destroyAll();
    server.closeAllConnections();
  }

  /** Until nothing is being answered any more, whatever comes meanwhile. */
  async function allAnswered(): Promise<void> {
    // The reader may hand over what it does not answer itself, never the other way.
    await reader?.whenQuiet();
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
    listen: (host, port) => deps.listen(server, host, port, '--http-port'),
    startDraining,
    async close({ graceMs }) {
      startDraining();
      if (server.listening) {
        let isOver = false;
        const timer = clock.setTimer(() => {
          isOver = true;
          destroyAll();
        }, graceMs);
        // Only what comes from now on is refused: what had been sent before is served.
        await readArrived();
        closing = true;
        await allAnswered();
        // Node counts a connection that never sent a byte as busy, and would wait for it.
        for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
        attached?.endHandshakes();
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        if (isOver) destroyAll();
        reader?.closeIdle();
        await closed;
        timer.cancel();
      }
      stopCutting();
      reader?.stop();
      await (await routes?.catch(() => undefined))?.close();
    },
  };
}

const NO_BYTES = new Uint8Array(0);

/**
 * Makes node:http leave new connections alone, since it may not be the one who reads them.
 *
 * @param accepts the event by which it gets them
 * @returns gives it one, with what was read of it already
 */
function takeOverConnections(
  server: Server,
  accepts: 'connection' | 'secureConnection',
): (socket: Socket, bytes: Uint8Array) => void {
  const ofNode = server.listeners(accepts) as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners(accepts);
  return (socket, bytes) => {
    // What was read comes first, but not before somebody listens.
    if (bytes.length > 0) socket.pause().unshift(bytes);
    for (const listener of ofNode) listener.call(server, socket);
    if (bytes.length > 0) socket.resume();
  };
}

/** RFC 9112, 3.2: such a request must be refused. */
function withoutHost(): NimifyError {
  return invalidInput('headers: expected host, as in every HTTP/1.1 request, got none; send it', {
    where: 'host',
  });
}

/** The cause is in the log, once. */
function notLoaded(): NimifyError {
  return new NimifyError(
    'INTERNAL',
    'the routes of this server could not be loaded; the log has the details',
  );
}
