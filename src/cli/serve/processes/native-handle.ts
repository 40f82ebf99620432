import type { Server } from 'node:net';

/** A connection as the system knows it, before Node makes a stream of it. */
export interface NativeConnection {
  close(): void;
}

/** What is reached for here that net.Server does not declare: what node:cluster uses of it. */
export interface NativeServer {
  _handle: ListeningHandle | null;
  /** Begins to listen on `_handle`. */
  _listen2(address: null, port: -1, addressType: -1, backlog: undefined): void;
}

export interface ListeningHandle {
  /** Called by whoever accepts, with `this` being the handle; `status` is negative for an error. */
  onconnection?: (status: number, connection: NativeConnection | undefined) => void;
  listen(backlog: number): number;
  close(): void;
  ref(): void;
  unref(): void;
  /** Writes the address into `out`. */
  getsockname(out: object): number;
}

export function nativeOf(server: Server): NativeServer {
  return server as unknown as NativeServer;
}
