import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { BufferPool } from '../../base/util/buffer-pool.ts';
import { createRoomyPool } from '../memory-pool.ts';
import { quietTurn } from '../quiet-turn.ts';
import { shuttingDown } from '../refusals.ts';
import { requestIdOf } from '../request-id.ts';
import { Call, failCall, refuseStream } from './call.ts';
import { createCallList } from './call-list.ts';
import { type Connection, createConnection } from './connection.ts';
import type { CallDeps, GrpcDeps } from './deps.ts';
import type { Headers } from './http2/request-headers.ts';
import { Session } from './http2/session.ts';
import type { ServerStream } from './http2/stream.ts';
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

/** In all, and so shared by the calls of a connection: large requests arrive without a halt for each 64 KiB. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Metadata of one call, as HTTP/2 counts it; larger than the 8 KiB that gRPC suggests, for tokens in it. */
const MAX_METADATA_BYTES = 16 * 1024;

const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const MODEL_STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';

/**
 * gRPC on HTTP/2, on the connections of a port: HTTP/2, framing, codings and inference are our own, all else is generated
 * code.
 */
export function createGrpcServer(
  given: GrpcDeps,
  port: Server,
  pool: BufferPool = createRoomyPool(given),
): GrpcServer {
  const deps: CallDeps = { ...given, pool };
  const { clock, log, options, tls } = deps;
  const connections = new Set<Connection>();
  const calls = createCallList();
  let services: Promise<Services> | undefined;
  /** Connections and calls so far. */
  let arrivals = 0;
  let closing = false;
  /** Called when the last open call has ended. */
  let onQuiet: (() => void) | undefined;

  const sessionOptions = {
    clock,
    maxConcurrentStreams: options.maxConcurrentStreams,
    streamWindowBytes: STREAM_WINDOW_BYTES,
    connectionWindowBytes: CONNECTION_WINDOW_BYTES,
    maxHeaderListBytes: MAX_METADATA_BYTES,
  };
  const secure = tls && createTlsServer({ ...tls.options, ALPNProtocols: ['h2'] });
  const attached = secure && tls?.attach(secure);
  secure?.on('secureConnection', (socket: TLSSocket) => {
    // A client that did not ask for HTTP/2 in its handshake (RFC 9113, 3.3).
    if (socket.alpnProtocol === 'h2') open(socket);
    else socket.on('error', ignore).destroy();
  });
  const stopWatching = watchCalls(calls, connections, deps);

  function open(socket: Socket): void {
    arrivals += 1;
    const session = new Session(socket, sessionOptions, {
      onStream: (stream, headers) => take(connection, stream, headers),
      onGreeted: () => connection.greeted(),
      onPing: () => connection.pinged(),
      onClose: () => connections.delete(connection),
      onFault: (err) => log.error({ err }, 'a gRPC connection was given up'),
    });
    const connection = createConnection(session, deps, () => isSendingOn(session));
    connections.add(connection);
  }

  function isSendingOn(session: Session): boolean {
    for (const { stream, sendingSinceNs } of calls.all()) {
      if (sendingSinceNs !== undefined && stream.host === session) return true;
    }
    return false;
  }

  function take(connection: Connection, stream: ServerStream, headers: Headers | 'too large'): void {
    arrivals += 1;
    connection.noteTraffic();
    if (headers === 'too large') {
      refuseStream(stream, tooMuchMetadata(), requestIdOf({ headers: {} }));
      return;
    }
    if (refuseHttp(stream)) return;
    let call: Call;
    try {
      call = new Call(stream, connection, deps);
    } catch (refused) {
      refuseStream(stream, toNimifyError(refused), requestIdOf({ headers }));
      return;
    }
    calls.add(call);
    connection.callOpened();
    stream.onClose = () => {
      calls.delete(call);
      connection.callClosed();
      call.close();
      if (calls.all().length === 0) onQuiet?.();
    };
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
    if (call.hasLeft) return;
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
    for (const connection of connections) connection.turnAway();
    void services?.then(
      ({ lookAtHealth }) => lookAtHealth(),
      () => {},
    );
  }

  /** Until nothing is being answered any more, whatever comes meanwhile. */
  async function allAnswered(): Promise<void> {
    for (const call of [...calls.all()]) call.onDrain?.(shuttingDown());
    if (calls.all().length === 0) return;
    await new Promise<void>((resolve) => {
      onQuiet = resolve;
    });
  }

  return {
    accept(socket) {
      if (secure === undefined) open(socket);
      else secure.emit('connection', socket);
    },
    closeIdle() {
      for (const connection of connections) connection.closeIfIdle();
    },
    startDraining,
    async close({ graceMs }) {
      startDraining();
      if (port.listening) {
        const timer = clock.setTimer(() => {
          for (const { session } of connections) session.destroy();
        }, graceMs);
        // Only what comes from now on is refused: what had been sent before is served.
        await readArrived();
        closing = true;
        await allAnswered();
        attached?.endHandshakes();
        const closed = new Promise<void>((resolve) => port.close(() => resolve()));
        for (const { session } of connections) session.close();
        await closed;
        timer.cancel();
      }
      stopWatching();
      pool.clear();
    },
  };
}

/** A socket that fails closes as well. */
function ignore(): void {}

/** What is no gRPC gets an answer in HTTP's own terms (PROTOCOL-HTTP2.md, "Content-Type"). */
function refuseHttp(stream: ServerStream): boolean {
  const { ':method': method, 'content-type': contentType } = stream.headers;
  if (method !== 'POST') stream.respondOnly({ ':status': 405, allow: 'POST' });
  else if (!isGrpcContentType(contentType)) stream.respondOnly({ ':status': 415 });
  else return false;
  return true;
}

function tooMuchMetadata(): NimifyError {
  return new NimifyError(
    'PAYLOAD_TOO_LARGE',
    `metadata: expected at most ${MAX_METADATA_BYTES} bytes, each field counted with 32 besides its text; send less`,
    { details: { where: 'metadata', expected: { maxBytes: MAX_METADATA_BYTES } } },
  );
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
