import { createServer, type Socket } from 'node:net';
import type { BufferPool } from '../../base/util/buffer-pool.ts';
import type { Timer } from '../../base/util/clock.ts';
import type { ListenAddress } from '../listen.ts';
import type { GrpcDeps } from './deps.ts';
import type { GrpcServer } from './server.ts';

export interface GrpcPort {
  /**
   * Port 0 picks a free one. Inference answers from then on; what else there is is loaded when it is first asked for.
   * @throws NimifyError CONFIG_INVALID when the address is taken or not ours
   */
  listen(host: string, port: number): Promise<ListenAddress>;
  /** Clients are told to open no more calls on the connections they have; those they have opened go on. */
  startDraining(): void;
  /**
   * Waits at most `graceMs` for running calls, then closes what is left. While it waits the port stays open: probes
   * see what is true, and new calls are told to go elsewhere. Streams on which nothing runs are ended.
   */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/**
 * Time after which gRPC is loaded although nobody has connected yet. Not much longer: loading opens files, and what
 * could not be loaded for lack of descriptors, in a crowd of connections, cannot be loaded again.
 */
const LOAD_AFTER_MS = 250;
/** The same while models are loaded, which is not to be held up by it. */
const LOAD_BY_MS = 2000;

/**
 * The port on which gRPC is served. What serves it is loaded with the first connection or a
 * little after the port is open: it would take a good part of the time that a server needs to start.
 */
export function createGrpcPort(deps: GrpcDeps, pool?: BufferPool): GrpcPort {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  const door = deps.connectionRoom.open(listener, () => server?.closeIdle());
  let loading: Promise<GrpcServer> | undefined;
  let server: GrpcServer | undefined;
  let timer: Timer | undefined;

  function loaded(): Promise<GrpcServer> {
    if (loading === undefined) {
      loading = load();
      loading.catch((err: unknown) =>
        deps.log.error({ err }, 'gRPC could not be loaded; its port serves nothing'),
      );
    }
    return loading;
  }

  async function load(): Promise<GrpcServer> {
    const { createGrpcServer } = await import('./server.ts');
    server = createGrpcServer(deps, listener, pool);
    return server;
  }

  function accept(socket: Socket): void {
    door.entered();
    socket.on('close', door.left);
    if (server === undefined) void acceptLater(socket);
    else server.accept(socket);
  }

  function loadSoon(waitedMs: number): void {
    timer = deps.clock.setTimer(() => {
      if (waitedMs < LOAD_BY_MS && !deps.registry.isReady()) loadSoon(waitedMs + LOAD_AFTER_MS);
      else void loaded();
    }, LOAD_AFTER_MS);
  }

  async function acceptLater(socket: Socket): Promise<void> {
    // Its client may go while it waits; nobody else would hear of that yet.
    const ignore = () => {};
    socket.on('error', ignore);
    const serving = await loaded().catch(() => undefined);
    socket.off('error', ignore);
    if (serving === undefined) socket.destroy();
    else if (!socket.destroyed) serving.accept(socket);
  }

  return {
    async listen(host, port) {
      const address = await deps.listen(listener, host, port, '--grpc-port');
      loadSoon(LOAD_AFTER_MS);
      return address;
    },
    startDraining: () => server?.startDraining(),
    async close({ graceMs }) {
      timer?.cancel();
      const serving = await loading?.catch(() => undefined);
      if (serving !== undefined) await serving.close({ graceMs });
      else if (listener.listening) await new Promise<unknown>((resolve) => listener.close(resolve));
    },
  };
}
