import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';

/** Test support: a client that sends bytes and frames as it is told, so that it can send wrong ones. */
export interface RawClient {
  readonly session: ClientHttp2Session;
  /** One call; its `pieces` are sent as they are, each when the one before is out. */
  call(path: string, pieces: readonly Uint8Array[], options?: RawCallOptions): Promise<RawAnswer>;
  close(): void;
}

export interface RawCallOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Leaves the client's half of the stream open. Default false. */
  readonly isOpen?: boolean;
}

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  /** Those of an answer that is trailers alone stand in `headers`. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** How the stream was reset; 0: it was not, or without an error. */
  readonly rstCode: number;
}

/** Over TLS where `options` has an authority's certificate. */
export function connectRaw(port: number, options: SecureClientSessionOptions = {}): RawClient {
  const session = connect(`${options.ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, options);
  session.on('error', () => {});
  return {
    session,
    call(path, pieces, { headers = {}, isOpen = false } = {}) {
      const stream = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...headers,
      });
      return new Promise((resolve) => {
        let answered: IncomingHttpHeaders = {};
        let trailers: IncomingHttpHeaders = {};
        const chunks: Buffer[] = [];
        stream.on('response', (received) => {
          answered = received;
        });
        stream.on('trailers', (received) => {
          trailers = received;
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', () => {});
        stream.on('close', () =>
          resolve({ headers: answered, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode ?? 0 }),
        );
        void (async () => {
          for (const piece of pieces) {
            if (stream.destroyed || stream.closed) return;
            await new Promise<void>((sent) => stream.write(piece, () => sent()));
            await new Promise((turn) => setImmediate(turn));
          }
          if (!isOpen) stream.end();
        })();
      });
    },
    close: () => session.destroy(),
  };
}

/** A message with its frame's header. */
export function framed(message: Uint8Array, isCompressed = false): Buffer {
  const header = Buffer.alloc(5);
  header[0] = Number(isCompressed);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
