import { createServer, type Socket } from 'node:net';
import type { BodyPool } from '../body-pool.ts';
import { type ListenAddress, listen } from '../listen.ts';
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
 * The port on which gRPC is served. What serves it, with node:http2 beneath, is loaded with the first connection: many
 * servers never get one, and loading takes a good part of the time that they need to start.
 */
export function createGrpcPort(deps: GrpcDeps, pool?: BodyPool): GrpcPort {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  const door = deps.connectionRoom.open(listener, () => server?.closeIdle());
  let loading: Promise<GrpcServer> | undefined;
  let server: GrpcServer | undefined;

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

  async function acceptLater(socket: Socket): Promise<void> {
    // Its client may go while it waits; nobody else would hear of that yet.
    const ignore = () => {};
    socket.on('error', ignore);
    try {
      loading ??= load();
      const loaded = await loading;
      socket.off('error', ignore);
      if (!socket.destroyed) loaded.accept(socket);
    } catch (err) {
      deps.log.error({ err }, 'gRPC could not be loaded; the connection is closed');
      socket.destroy();
    }
  }

  return {
    listen: (host, port) => listen(listener, host, port, '--grpc-port'),
    startDraining: () => server?.startDraining(),
    async close({ graceMs }) {
      const loaded = await loading?.catch(() => undefined);
      if (loaded !== undefined) await loaded.close({ graceMs });
      else if (listener.listening) await new Promise<unknown>((resolve) => listener.close(resolve));
    },
  };
}
