import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';

/** Test support: a client that speaks exactly the bytes a test wants, well-formed or not. */
export interface RawClient {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** The next answer on the connection; rejects when the connection ends without one. */
  next(): Promise<RawAnswer>;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** @param secure how TLS is to be spoken; undefined: not at all */
export async function openRaw(port: number, secure?: ConnectionOptions): Promise<RawClient> {
  const socket =
    secure === undefined
      ? connect(port, '127.0.0.1')
      : connectSecurely({ port, host: '127.0.0.1', servername: 'localhost', ...secure });
  // A reset is one of the ways in which a connection may close here.
  socket.on('error', () => {});
  let chunks: Buffer[] = [];
  let bufferedBytes = 0;
  /** Below this, no further answer can be whole: large ones are joined once, not at each chunk. */
  let wantedBytes = 0;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bufferedBytes += chunk.length;
    if (bufferedBytes >= wantedBytes) wake();
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      resolve();
      wake();
    });
  });
  await new Promise<void>((resolve) =>
    socket.once(secure === undefined ? 'connect' : 'secureConnect', resolve),
  );

  return {
    socket,
    closed,
    send: (bytes) => socket.write(bytes),
    async next() {
      for (;;) {
        const buffered = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
        chunks = [buffered];
        const taken = takeAnswer(buffered);
        if (taken !== undefined) {
          chunks = [buffered.subarray(taken.length)];
          bufferedBytes -= taken.length;
          return taken.answer;
        }
        if (socket.closed) throw new Error(`connection closed; unread: ${buffered.toString('latin1')}`);
        wantedBytes = Math.max(bufferedBytes + 1, headOf(buffered)?.end ?? 0);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Where its body begins and ends. */
  readonly start: number;
  readonly end: number;
}

function headOf(bytes: Buffer): Head | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const start = headEnd + 4;
  const status = Number(statusLine.split(' ')[1]);
  return { status, headers, start, end: start + Number(headers['content-length'] ?? 0) };
}

/** The first answer of what a server has said, if it is there in full. */
export function takeAnswer(
  bytes: Buffer,
): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const head = headOf(bytes);
  if (head === undefined || bytes.length < head.end) return undefined;
  const { status, headers, start, end } = head;
  return { answer: { status, headers, body: bytes.subarray(start, end) }, length: end };
}

/** A whole request as bytes; `content-length` is added where the body is given. */
export function rawRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>> = {},
  body?: string | Uint8Array,
): Buffer {
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
  const all = { host: 'test', ...(body === undefined ? {} : { 'content-length': bytes.length }), ...headers };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`), bytes]);
}

/** The body of an answer in JSON. */
export function jsonOf({ body }: Pick<RawAnswer, 'body'>): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}
