import type { AccessLog } from '../../base/telemetry/access-log.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { RequestInstruments } from '../../base/telemetry/request-instruments.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ModelControl } from '../../registry/live/contract.ts';
import type { BodyPool } from '../body-pool.ts';

export interface GrpcOptions {
  /** Largest message taken, before and after decompression, in bytes. Default 64 MiB. */
  readonly maxMessageBytes: number;
  /** Deadline of a request that sets none, in milliseconds. Default 30 000. */
  readonly defaultTimeoutMs: number;
  /** Longest time for a message to arrive, in milliseconds. Default 30 000. */
  readonly receiveTimeoutMs: number;
  /** Longest time in which a client may take nothing of its answer before it is cut off. Default 30 000. */
  readonly sendTimeoutMs: number;
  /** Calls that may run at once on one connection; clients keep further ones back. Default 1024. */
  readonly maxConcurrentStreams: number;
  /** Connections held open at once; undefined: any number. Default: any number. */
  readonly maxConnections: number | undefined;
  /** A connection is asked this often whether its client is still there, in milliseconds. Default 300 000. */
  readonly keepAliveMs: number;
  /** Longest time for the answer to that, in milliseconds; then the connection is cut. Default 20 000. */
  readonly keepAliveTimeoutMs: number;
  /**
   * Clients that send pings more often than this, and nothing else, are told to go. Default 10 000 (Triton: 300 000).
   */
  readonly minPingIntervalMs: number;
}

export const DEFAULT_GRPC_OPTIONS: GrpcOptions = {
  maxMessageBytes: 64 * 1024 * 1024,
  defaultTimeoutMs: 30_000,
  receiveTimeoutMs: 30_000,
  sendTimeoutMs: 30_000,
  maxConcurrentStreams: 1024,
  maxConnections: undefined,
  keepAliveMs: 300_000,
  keepAliveTimeoutMs: 20_000,
  minPingIntervalMs: 10_000,
};

/** The limits of HTTP hold here as well where nothing else is asked for. */
export function toGrpcOptions(
  http: Pick<GrpcOptions, 'defaultTimeoutMs' | 'receiveTimeoutMs' | 'sendTimeoutMs'> & {
    readonly maxBodyBytes: number;
  },
  asked: Partial<GrpcOptions> = {},
): GrpcOptions {
  const { defaultTimeoutMs, receiveTimeoutMs, sendTimeoutMs, maxBodyBytes } = http;
  const limits = { defaultTimeoutMs, receiveTimeoutMs, sendTimeoutMs, maxMessageBytes: maxBodyBytes };
  return { ...DEFAULT_GRPC_OPTIONS, ...limits, ...asked };
}

/** What every gRPC method may use: methods translate and hold no logic of their own. */
export interface GrpcDeps {
  readonly registry: Registry;
  readonly control: ModelControl;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly instruments: RequestInstruments;
  readonly options: GrpcOptions;
  /** nimify's own version. */
  readonly version: string;
}

/** What a call may use besides. */
export interface CallDeps extends GrpcDeps {
  /** Memory for large raw contents. */
  readonly pool: BodyPool;
}
