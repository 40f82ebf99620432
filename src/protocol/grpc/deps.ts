import type { BufferPool } from '../../base/util/buffer-pool.ts';
import type { ProtocolDeps } from '../deps.ts';
import type { ServerTls } from '../server-tls.ts';

export interface GrpcOptions {
  /** Largest message taken, before and after decompression, in bytes. Default 64 MiB. */
  readonly maxReceiveMessageBytes: number;
  /** Largest message sent, before compression, in bytes; undefined: any. Default: any. */
  readonly maxSendMessageBytes: number | undefined;
  /** Deadline of a request that sets none, in milliseconds. Default 30 000. */
  readonly defaultTimeoutMs: number;
  /** Longest time for a message to arrive, in milliseconds. Default 30 000. */
  readonly receiveTimeoutMs: number;
  /** Longest time in which a client may take nothing of its answer before it is cut off. Default 30 000. */
  readonly sendTimeoutMs: number;
  /** Calls that may run at once on one connection; clients keep further ones back. Default 1024. */
  readonly maxConcurrentStreams: number;
  /** A silent connection is asked this often whether its client is still there, in milliseconds. Default 300 000. */
  readonly keepaliveTimeMs: number;
  /** Longest time for the answer to that, in milliseconds; then the connection is cut. Default 20 000. */
  readonly keepaliveTimeoutMs: number;
  /** Clients that ping more often than this, and take or send nothing else, are told to go. Default 5000. */
  readonly minRecvPingIntervalMs: number;
  /** Clients may ping as often while no call is open; else once in two hours only. Default true. */
  readonly keepalivePermitWithoutCalls: boolean;
  /** A connection without calls is ended after this time, in milliseconds; undefined: never. Default: never. */
  readonly maxConnectionIdleMs: number | undefined;
  /**
   * A connection takes new calls for this time, a tenth more or less, in milliseconds; undefined: for as long as it
   * lasts. Default: for as long as it lasts.
   */
  readonly maxConnectionAgeMs: number | undefined;
  /** Time for the calls of a connection of that age to end, in milliseconds; undefined: any. Default: any. */
  readonly maxConnectionAgeGraceMs: number | undefined;
}

export const DEFAULT_GRPC_OPTIONS: GrpcOptions = {
  maxReceiveMessageBytes: 64 * 1024 * 1024,
  maxSendMessageBytes: undefined,
  defaultTimeoutMs: 30_000,
  receiveTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
  maxConcurrentStreams: 1024,
  keepaliveTimeMs: 300_000,
  keepaliveTimeoutMs: 20_000,
  minRecvPingIntervalMs: 5000,
  keepalivePermitWithoutCalls: true,
  maxConnectionIdleMs: undefined,
  maxConnectionAgeMs: undefined,
  maxConnectionAgeGraceMs: undefined,
};

/** The limits of HTTP hold here as well where nothing else is asked for. */
export function toGrpcOptions(
  http: Pick<GrpcOptions, 'defaultTimeoutMs' | 'receiveTimeoutMs' | 'sendTimeoutMs'> & {
    readonly maxBodyBytes: number;
  },
  asked: Partial<GrpcOptions> = {},
): GrpcOptions {
  const { defaultTimeoutMs, receiveTimeoutMs, sendTimeoutMs, maxBodyBytes } = http;
  const limits = { defaultTimeoutMs, receiveTimeoutMs, sendTimeoutMs, maxReceiveMessageBytes: maxBodyBytes };
  return { ...DEFAULT_GRPC_OPTIONS, ...limits, ...asked };
}

/** What every gRPC method may use. */
export interface GrpcDeps extends ProtocolDeps {
  /** Undefined: clear text. */
  readonly tls: ServerTls | undefined;
  readonly options: GrpcOptions;
}

/** What a call may use besides. */
export interface CallDeps extends GrpcDeps {
  /** Memory for large raw contents. */
  readonly pool: BufferPool;
}
