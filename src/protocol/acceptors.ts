import type { Server } from 'node:net';
import type { Listen } from './listen.ts';

/**
 * Another descriptor of the same socket, which the caller closes; undefined where there can be none.
 * @param descriptor of this process
 */
export type DuplicateDescriptor = (descriptor: number) => number | undefined;

/** Of a listening socket in one turn of the event loop. An idle server pays half a microsecond for each. */
const CONNECTIONS_A_TURN = 8;
const SERVER = 1; // TCPConstants of Node's tcp_wrap
const BACKLOG = 511; // as net.Server's

/** What is reached for here that net.Server does not declare. */
interface ListeningHandle {
  readonly constructor: new (kind: number) => ListeningHandle;
  /** Negative where the system has no descriptors. */
  readonly fd?: number;
  /** A negative `status` is an error. */
  onconnection?: (status: number, connection: unknown) => void;
  open(descriptor: number): number;
  listen(backlog: number): number;
  close(callback?: () => void): void;
}

/**
 * `listen`, with several handles on the socket. libuv takes one connection of a handle in each turn of the event loop, and
 * a turn is as long as it takes to answer all whose requests are there: measured with 256 clients that came at once, and a
 * model of 17 us, the last one was heard after 1.2 s. Each handle takes one.
 */
export function withAcceptors(listen: Listen, duplicate: DuplicateDescriptor): Listen {
  return async (server, host, port, flag) => {
    const address = await listen(server, host, port, flag);
    addAcceptors(server, duplicate);
    return address;
  };
}

function addAcceptors(server: Server, duplicate: DuplicateDescriptor): void {
  const first = (server as unknown as { readonly _handle: ListeningHandle | null })._handle;
  // One of several processes does not accept by itself, and has no descriptor.
  if (first?.fd === undefined || first.fd < 0) return;
  const more: ListeningHandle[] = [];
  while (more.length + 1 < CONNECTIONS_A_TURN) {
    const descriptor = duplicate(first.fd);
    if (descriptor === undefined) break;
    const handle = new first.constructor(SERVER);
    // Counted, limited and made sockets of as those of the first, for as long as it listens.
    handle.onconnection = (status, connection) => first.onconnection!(status, connection);
    handle.open(descriptor);
    handle.listen(BACKLOG);
    more.push(handle);
  }
  const close = first.close;
  first.close = (callback) => {
    for (const handle of more.splice(0)) handle.close();
    close.call(first, callback);
  };
}
