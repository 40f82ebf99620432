import type { ProtocolDeps } from '../deps.ts';
import type { ServerTls } from '../server-tls.ts';

export interface HttpOptions {
  /** Largest body taken, before and after decompression, in bytes. Default 64 MiB. */
  readonly maxBodyBytes: number;
  /** Deadline of a request that sets none, in milliseconds. Default 30 000. */
  readonly defaultTimeoutMs: number;
  /** Longest time for a request's headers and body to arrive, in milliseconds. Default 30 000. */
  readonly receiveTimeoutMs: number;
  /** Longest time in which a client may take nothing of its answer before it is cut off. Default 30 000. */
  readonly sendTimeoutMs: number;
  /**
   * Who reads plain inferences from their connections: a reader of our own, or node:http as everything else. Answers
   * are the same. Default `own`.
   */
  readonly reader: 'own' | 'node';
}

export const DEFAULT_HTTP_OPTIONS: HttpOptions = {
  maxBodyBytes: 64 * 1024 * 1024,
  defaultTimeoutMs: 30_000,
  receiveTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
  reader: 'own',
};

/** What every HTTP route may use. */
export interface HttpDeps extends ProtocolDeps {
  /** Undefined: clear text. */
  readonly tls: ServerTls | undefined;
  readonly options: HttpOptions;
}
