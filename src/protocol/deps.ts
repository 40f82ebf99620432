import type { AccessLog } from '../base/telemetry/access-log.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { RequestInstruments } from '../base/telemetry/request-instruments.ts';
import type { Clock } from '../base/util/clock.ts';
import type { Registry } from '../registry/contract.ts';
import type { Reloaded } from '../registry/live/model-control.ts';
import type { Cluster } from './cluster.ts';
import type { ConnectionRoom } from './connection-room.ts';
import type { Listen } from './listen.ts';
import type { MemoryRoom } from './memory-room.ts';

/** What every protocol may use: protocols translate and hold no logic of their own. */
export interface ProtocolDeps {
  readonly registry: Registry;
  /** What is told of, and changed in, all processes that serve the same address. */
  readonly cluster: Cluster;
  /** How ports are opened. */
  readonly listen: Listen;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessLog: AccessLog;
  readonly instruments: RequestInstruments;
  readonly connectionRoom: ConnectionRoom;
  readonly memoryRoom: MemoryRoom;
  /** As `RunningServer.reload`. Default: there is nothing to be read. */
  readonly reload?: () => Promise<Reloaded>;
  /** nimify's own version. */
  readonly version: string;
}
