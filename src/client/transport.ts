import { Readable } from 'node:stream';
import { Agent } from 'undici';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { type Clock, systemClock } from '../base/util/clock.ts';
import { toConnectionError } from './connection-error.ts';

export interface TransportOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base address, starting with a slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in this order; `content-length` is their sum. */
  readonly chunks?: readonly Uint8Array[];
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  readonly url: string;
  readonly status: number;
  readonly body: Uint8Array;
  header(name: string): string | undefined;
}

export interface Transport {
  /** @throws NimifyError MODEL_NOT_READY (no connection), DEADLINE_EXCEEDED, CANCELLED */
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

/** Bodies up to this size are joined: a write a chunk costs more than the copy. */
const JOIN_BELOW_BYTES = 64 * 1024;

/** One server's connections, kept alive. Every request has a deadline, and tells the server how long is left. */
export function createTransport(options: TransportOptions): Transport {
  const { origin, prefix } = toBase(options.url);
  const clock = options.clock ?? systemClock;
  // The deadline below covers connecting, headers and body alike, so undici's own limits are off.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } });

  async function send(request: TransportRequest): Promise<TransportResponse> {
    const url = `${origin}${prefix}${request.path}`;
    const timeoutMs = toTimeoutMs(request.timeoutMs ?? options.timeoutMs);
    const abort = new AbortController();
    let timedOut = false;
    const timer = clock.setTimer(() => {
      timedOut = true;
      abort.abort();
    }, timeoutMs);
    const forward = () => abort.abort();
    if (request.signal?.aborted) forward();
    request.signal?.addEventListener('abort', forward, { once: true });
    try {
      const response = await agent.request({
        origin,
        path: `${prefix}${request.path}`,
        method: request.method,
        headers: {
          ...options.headers,
          ...request.headers,
          ...lengthOf(request.chunks),
          'x-request-deadline': `${Math.max(1, Math.round(timeoutMs))}ms`,
        },
        body: toBody(request.chunks),
        signal: abort.signal,
      });
      const body = await response.body.bytes();
      return {
        url,
        status: response.statusCode,
        body,
        header(name) {
          const value = response.headers[name];
          return Array.isArray(value) ? value[0] : value;
        },
      };
    } catch (thrown) {
      if (timedOut) throw deadlineExceeded(url, timeoutMs);
      if (request.signal?.aborted) throw new NimifyError('CANCELLED', `the request to ${url} was cancelled`);
      throw toConnectionError(thrown, origin);
    } finally {
      timer.cancel();
      request.signal?.removeEventListener('abort', forward);
    }
  }

  return { send, close: () => agent.close() };
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

/** @throws NimifyError CONFIG_INVALID */
function toTimeoutMs(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs;
  throw new NimifyError('CONFIG_INVALID', `timeoutMs: expected a number above 0, got ${timeoutMs}`);
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

function deadlineExceeded(url: string, timeoutMs: number): NimifyError {
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `${url} did not answer within ${Math.round(timeoutMs)} ms; allow more time or send less at once`,
    { details: { where: url, expected: `an answer within ${Math.round(timeoutMs)} ms` } },
  );
}
