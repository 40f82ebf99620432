import { once } from 'node:events';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';

/** All that a server says on one connection, and what becomes of the connection. */
export interface Said {
  readonly statuses: readonly number[];
  /** Every byte, but for what differs from one answer to the next by itself: dates and request ids. */
  readonly text: string;
  /** `open`: one more request on the connection was answered. */
  readonly fate: 'open' | 'closed';
}

export interface TalkOptions {
  /** The client says that it has nothing more to say, as soon as it has sent all. */
  readonly halfClose?: boolean;
  /** The client says nothing more and waits until the server ends the connection. */
  readonly waits?: boolean;
  /** How TLS is spoken. Default: not at all. */
  readonly secure?: ConnectionOptions | undefined;
}

const PROBE = 'GET /v2/health/live HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n';
const PROBE_BODY = '{"live":true}';

/** Turns of the event loop in which nothing came. Client and server share it: what was to be said has been said. */
const QUIET_TURNS = 12;

/** Sends the pieces one by one, each when the server has had time to read the last. */
export async function talk(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  options: TalkOptions = {},
): Promise<Said> {
  const { secure } = options;
  const address = { port, host: '127.0.0.1', allowHalfOpen: true };
  const socket =
    secure === undefined
      ? connect(address)
      : connectSecurely({ ...address, servername: 'localhost', ...secure });
  const chunks: Buffer[] = [];
  let isClosed = false;
  // A reset is one of the ways in which a connection may close here.
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('end', () => {
    isClosed = true;
    socket.end();
  });
  socket.on('close', () => {
    isClosed = true;
  });
  await once(socket, secure === undefined ? 'connect' : 'secureConnect');
  socket.setNoDelay(true);

  for (const [at, piece] of pieces.entries()) {
    socket.write(piece);
    if (at < pieces.length - 1) await turns(2);
  }
  if (options.halfClose) {
    // Else it would come with the last bytes in one read, and answers that are not there by then are not sent.
    if (secure !== undefined) await turns(4);
    socket.end();
  }
  await quiet(chunks);
  let isProbed = false;
  if (!options.halfClose && !options.waits && !isClosed) {
    isProbed = true;
    socket.write(PROBE);
  }
  if (!socket.closed) await once(socket, 'close');

  const bytes = Buffer.concat(chunks);
  const isOpen = isProbed && bytes.toString('latin1').endsWith(PROBE_BODY);
  const text = masked(bytes);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  return { statuses, text, fate: isOpen ? 'open' : 'closed' };
}

async function quiet(chunks: readonly Buffer[]): Promise<void> {
  let seen = chunks.length;
  for (let i = 0; i < QUIET_TURNS; i += 1) {
    await turns(1);
    if (chunks.length === seen) continue;
    seen = chunks.length;
    i = -1;
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

function masked(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/^Date: .*$/gm, 'Date: *')
    .replace(/^x-request-id: [0-9a-f-]{36}(?=\r)/gm, 'x-request-id: *')
    .replace(/"request_id":"[0-9a-f-]{36}"/g, '"request_id":"*"');
}
