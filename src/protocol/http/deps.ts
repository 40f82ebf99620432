import type { AccessLog } from '../../base/telemetry/access-log.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import type { RequestInstruments } from '../../base/telemetry/request-instruments.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Registry } from '../../registry/contract.ts';
import type { ModelControl } from '../../registry/live/contract.ts';
import type { ConnectionRoom } from '../connection-room.ts';

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

/** What every HTTP route may use: routes translate and hold no logic of their own. */
export interface HttpDeps {
  readonly registry: Registry;
  readonly control: ModelControl;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly instruments: RequestInstruments;
  readonly metrics: MetricsRegistry;
  readonly connectionRoom: ConnectionRoom;
  readonly options: HttpOptions;
  /** nimify's own version. */
  readonly version: string;
}
