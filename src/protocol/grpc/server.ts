import {
  createSecureServer,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Server, Socket } from 'node:net';
import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { type BodyPool, createBodyPool } from '../body-pool.ts';
import { quietTurn } from '../quiet-turn.ts';
import { shuttingDown } from '../refusals.ts';
import { requestIdOf } from '../request-id.ts';
import { Call, failCall, letClientStop, refuseStream } from './call.ts';
import { createCallList } from './call-list.ts';
import { type Connection, createConnection } from './connection.ts';
import type { CallDeps, GrpcDeps } from './deps.ts';
import { serveModelInfer } from './infer.ts';
import { isGrpcContentType } from './metadata.ts';
import type { Services } from './services.ts';
import { serveModelStreamInfer } from './stream-infer.ts';
import { watchCalls } from './watch-calls.ts';

export interface GrpcServer {
  /** Serves a connection of the port, with what has come on it already. */
  accept(socket: Socket): void;
  /** Closes the connections on which no call is open. */
  closeIdle(): void;
  /** As the port's. */
  startDraining(): void;
  /** As the port's; closes the port too. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** As much of one message may be on its way before the client waits for us to have read it. */
const STREAM_WINDOW_BYTES = 1024 * 1024;

/** Metadata of one call, as HTTP/2 counts it; larger than the 8 KiB that gRPC suggests, for tokens in it. */
const MAX_METADATA_BYTES = 16 * 1024;

/** Node's own limit counts what waits to be sent, of which flow control and `sendTimeoutMs` bound the time. */
const SESSION_MEMORY_MIB = 1024;

const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const MODEL_STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';

/**
 * gRPC on node:http2, on the connections of a port: framing, codings and inference are our own, all else is generated
 * code.
 */
export function createGrpcServer(
  given: GrpcDeps,
  port: Server,
  pool: BodyPool = createBodyPool({ clock: given.clock }),
): GrpcServer {
  const deps: CallDeps = { ...given, pool };
  const { clock, log, options, tls } = deps;
  const connections = new Map<ServerHttp2Session, Connection>();
  const calls = createCallList();
  let services: Promise<Services> | undefined;
  /** Connections and calls so far. */
  let arrivals = 0;
  let closing = false;

  const settings = {
    maxSessionMemory: SESSION_MEMORY_MIB,
    settings: {
      maxConcurrentStreams: options.maxConcurrentStreams,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: MAX_METADATA_BYTES,
      enablePush: false,
    },
  };
  const secure = tls && createSecureServer({ ...settings, ...tls.options });
  const server: Server = secure ?? createServer(settings);
  const attached = secure && tls?.attach(secure);
  // With TLS, a client that did not ask for HTTP/2 in its handshake (RFC 9113, 3.3); Node would answer and wait.
  server.on('unknownProtocol', (socket: Socket) => socket.destroy());
  server.on('session', (session) => {
    arrivals += 1;
    connections.set(
      session,
      createConnection(session, deps, () => isSendingOn(session)),
    );
    session.on('close', () => connections.delete(session));
  });
  // What a client does wrong ends its connection; without a listener it would end the process.
  server.on('sessionError', () => {});
  server.on('stream', take);
  const stopWatching = watchCalls(calls, connections, deps);

  function isSendingOn(session: ServerHttp2Session): boolean {
    for (const { stream, sendingSinceNs } of calls.all()) {
      if (sendingSinceNs !== undefined && stream.session === session) return true;
    }
    return false;
  }

  function take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    arrivals += 1;
    stream.on('error', ignore);
    const connection =
      stream.session === undefined ? undefined : connections.get(stream.session as ServerHttp2Session);
    if (connection === undefined) return; // it has gone already
    connection.noteTraffic();
    if (refuseHttp(stream, headers)) return;
    let call: Call;
    try {
      call = new Call(stream, headers, connection, deps);
    } catch (refused) {
      refuseStream(stream, toNimifyError(refused), requestIdOf({ headers }));
      return;
    }
    calls.add(call);
    connection.callOpened();
    stream.on('close', () => {
      calls.delete(call);
      connection.callClosed();
      call.close();
    });
    if (closing) failCall(call, shuttingDown());
    else dispatch(call);
  }

  function dispatch(call: Call): void {
    const path = call.headers[':path'] ?? '';
    if (path === MODEL_INFER) serveModelInfer(call);
    else if (path === MODEL_STREAM_INFER) void serveModelStreamInfer(call);
    else void dispatchToServices(call, path);
  }

  async function dispatchToServices(call: Call, path: string): Promise<void> {
    services ??= loadServices();
    const loaded = await services.catch(() => undefined);
    if (loaded === undefined) failCall(call, notLoaded());
    else {
      const serve = loaded.methods.get(path);
      if (serve === undefined) failCall(call, unknownMethod(path));
      else serve(call);
    }
  }

  /** When the first is asked for: generated code takes longer to load than all that inference needs. */
  function loadServices(): Promise<Services> {
    const loading = import('./services.ts').then(({ createServices }) => createServices(deps));
    loading.catch((err: unknown) => log.error({ err }, 'the gRPC services could not be loaded'));
    return loading;
  }

  function readArrived(): Promise<void> {
    return quietTurn({ clock, arrivals: () => arrivals });
  }

  function startDraining(): void {
    for (const connection of connections.values()) connection.turnAway();
    void services?.then(
      ({ lookAtHealth }) => lookAtHealth(),
      () => {},
    );
  }

  /** Until nothing is being answered any more, whatever comes meanwhile. */
  async function allAnswered(): Promise<void> {
    for (const call of calls.all()) call.onDrain?.(shuttingDown());
    for (let [call] = calls.all(); call !== undefined; [call] = calls.all()) {
      const { stream } = call;
      await new Promise<unknown>((resolve) => stream.once('close', resolve));
    }
  }

  return {
    accept: (socket) => void server.emit('connection', socket),
    closeIdle() {
      for (const connection of connections.values()) connection.closeIfIdle();
    },
    startDraining,
    async close({ graceMs }) {
      startDraining();
      if (port.listening) {
        const timer = clock.setTimer(() => {
          for (const { session } of connections.values()) session.destroy();
        }, graceMs);
        // Only what comes from now on is refused: what had been sent before is served.
        await readArrived();
        closing = true;
        await allAnswered();
        attached?.endHandshakes();
        const closed = new Promise<void>((resolve) => port.close(() => resolve()));
        for (const { session } of connections.values()) session.close();
        await closed;
        timer.cancel();
      }
      stopWatching();
      pool.clear();
    },
  };
}

/** A reset with an error is told as one; that the stream closes says all there is to know. */
function ignore(): void {}

/** What is no gRPC gets an answer in HTTP's own terms (PROTOCOL-HTTP2.md, "Content-Type"). */
function refuseHttp(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const status =
    headers[':method'] !== 'POST' ? 405 : isGrpcContentType(headers['content-type']) ? undefined : 415;
  if (status === undefined) return false;
  stream.respond({ ':status': status, ...(status === 405 ? { allow: 'POST' } : {}) }, { endStream: true });
  letClientStop(stream);
  return true;
}

function unknownMethod(path: string): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    `unknown method ${path.slice(0, 200)}; server reflection says which there are`,
    { details: { where: ':path' } },
  );
}

/** The cause is in the log, once. */
function notLoaded(): NimifyError {
  return new NimifyError(
    'INTERNAL',
    'the services of this server could not be loaded; the log has the details',
  );
}
