import { Readable } from 'node:stream';
import { Agent, type Dispatcher } from 'undici';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { CallTime } from './calls.ts';
import { toConnectionError } from './connection-error.ts';
import type { ClientTls } from './contract.ts';
import { toSecureOptions } from './secure-options.ts';

export interface TransportOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: ClientTls | undefined;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base address, starting with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in this order; `content-length` is their sum. */
  readonly chunks?: readonly Uint8Array[];
}

export interface TransportResponse {
  readonly url: string;
  readonly status: number;
  /** In memory of its own. What follows a header of `inference-header-content-length` bytes is 8-aligned. */
  readonly body: Uint8Array;
  /** `inference-header-content-length`; undefined: the body is JSON from end to end. */
  readonly headerLength: number | undefined;
  header(name: string): string | undefined;
}

export interface Transport {
  /** One attempt. @throws NimifyError MODEL_NOT_READY (no connection); anything once `time` is over */
  send(request: TransportRequest, time: CallTime): Promise<TransportResponse>;
  close(): Promise<void>;
}

/** Bodies up to this size are joined: a write a chunk costs more than the copy. */
const JOIN_BELOW_BYTES = 64 * 1024;

/**
 * One server's connections, kept alive. Every request tells the server how much of its time is left.
 * @throws NimifyError CONFIG_INVALID
 */
export function createTransport(options: TransportOptions): Transport {
  const { origin, prefix } = toBase(options.url);
  // A call's time covers connecting, headers and body alike, so undici's own limits are off.
  const agent = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 0, ...toSecureOptions(options.tls) },
  });

  async function send(request: TransportRequest, time: CallTime): Promise<TransportResponse> {
    const abort = new AbortController();
    const stop = () => abort.abort();
    time.cancel.on(stop);
    try {
      const response = await agent.request({
        origin,
        path: `${prefix}${request.path}`,
        method: request.method,
        headers: {
          ...options.headers,
          ...request.headers,
          ...lengthOf(request.chunks),
          'x-request-deadline': `${Math.max(1, Math.round(time.remainingMs()))}ms`,
        },
        body: toBody(request.chunks),
        signal: abort.signal,
      });
      return await receive(response, `${origin}${prefix}${request.path}`);
    } catch (thrown) {
      throw toConnectionError(thrown, origin);
    } finally {
      time.cancel.off(stop);
    }
  }

  return { send, close: () => agent.close() };
}

async function receive(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  url: string,
): Promise<TransportResponse> {
  function header(name: string): string | undefined {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
  const headerLength = toLength(header('inference-header-content-length'));
  const length = toLength(header('content-length'));
  const bytes =
    headerLength === undefined || length === undefined
      ? await body.bytes()
      : await readAligned(body, length, headerLength);
  return { url, status: statusCode, body: bytes, headerLength, header };
}

/** Reads a body into memory in which what follows its header is 8-aligned, so that tensors become views of it. */
async function readAligned(body: Readable, length: number, headerLength: number): Promise<Uint8Array> {
  const offset = (8 - (headerLength % 8)) % 8;
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(offset + length).buffer, offset);
  let at = 0;
  await new Promise<void>((resolve, reject) => {
    body.on('data', (piece: Uint8Array) => {
      bytes.set(piece, at);
      at += piece.length;
    });
    body.on('end', resolve);
    body.on('error', reject);
  });
  return bytes;
}

function toLength(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** @throws NimifyError CONFIG_INVALID */
function toBase(url: string): { readonly origin: string; readonly prefix: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new NimifyError('CONFIG_INVALID', `'${url}' is no address; expected http://host:port`, {
      details: { where: 'url', expected: 'http://host:port', got: url },
    });
  }
  return { origin: parsed.origin, prefix: parsed.pathname.replace(/\/+$/, '') };
}

function lengthOf(chunks: readonly Uint8Array[] | undefined): Readonly<Record<string, string>> {
  if (chunks === undefined) return {};
  return { 'content-length': String(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)) };
}

function toBody(chunks: readonly Uint8Array[] | undefined): Uint8Array | Readable | null {
  if (chunks === undefined) return null;
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const byteLength = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return byteLength <= JOIN_BELOW_BYTES ? Buffer.concat(chunks) : Readable.from(chunks);
}
