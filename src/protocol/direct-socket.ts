import { Socket, type SocketConstructorOpts } from 'node:net';

/** Who reads from a socket without a buffer for each read. */
export interface ReadSink {
  /** Where the next bytes are to be put. Asked once at the start and after each read. */
  place(): Uint8Array;
  /** `size` bytes were put at the start of `into`, which was the last place. */
  onRead(size: number, into: Uint8Array): void;
}

/** What is reached for here that net.Socket does not declare. */
interface Accepted {
  _handle: { readonly useUserBuffer?: (into: Uint8Array) => void } | null;
  _server: unknown;
  server: unknown;
}

interface DirectOptions extends SocketConstructorOpts {
  readonly handle: unknown;
  readonly onread: {
    readonly buffer: () => Uint8Array;
    /** False stops reading. */
    readonly callback: (size: number, into: Uint8Array) => boolean;
  };
}

/**
 * A socket in place of an accepted one, which reads to where `sink` says. Node makes a buffer of 64 KiB for each read
 * of a socket, which costs a small request a tenth of its time and a large one half of it. Its way out, the option
 * `onread`, is there for sockets that connect and not for those that are accepted; so the handle is moved to a new
 * socket. What comes is not in its 'data' events; all others are as ever. The accepted one is told to have closed when
 * the new one has.
 *
 * @returns undefined where this version of Node does not let that be done; the accepted socket is untouched then
 */
export function readDirectly(accepted: Socket, sink: ReadSink): Socket | undefined {
  const from = accepted as unknown as Accepted;
  const handle = from._handle;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  from._handle = null;
  const options: DirectOptions = {
    handle,
    allowHalfOpen: accepted.allowHalfOpen,
    readable: true,
    writable: true,
    onread: {
      buffer: () => sink.place(),
      callback(size, into) {
        sink.onRead(size, into);
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // The server counts its connections by this.
  const to = socket as unknown as Accepted;
  to._server = from._server;
  to.server = from.server;
  from._server = null;
  // Whoever was given the accepted one waits for that one to close.
  socket.on('close', (hadError) => accepted.emit('close', hadError));
  return socket;
}

/**
 * What comes next is put there, without a place being asked for, so that nothing reads into the last one any more.
 * @param socket from `readDirectly`
 */
export function readNextInto(socket: Socket, into: Uint8Array): void {
  (socket as unknown as Accepted)._handle?.useUserBuffer?.(into);
}
