import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock } from '../../base/util/clock.ts';

export interface CrowdOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Most connections that are held open. Undefined: as many as the system gives. */
  readonly maxConnections: number | undefined;
  /** Closes the connections on which no request runs. */
  readonly closeIdle: () => void;
}

/** At most one line and one round of closing in this time, however many are turned away. */
const QUIET_NS = 1e9;

/**
 * Turns connections away when there are no file descriptors for them, instead of failing at whatever opens the
 * next file or socket; then closes the connections on which no request runs, so that others get their turn.
 * Clients take that as any end of an idle connection: they connect again.
 */
export function limitConnections(server: Server, options: CrowdOptions): void {
  const { clock, log, maxConnections, closeIdle } = options;
  let roomMadeAtNs = Number.NEGATIVE_INFINITY;

  function makeRoom(err: Error | undefined): void {
    const nowNs = clock.nowNs();
    if (nowNs - roomMadeAtNs < QUIET_NS) return;
    roomMadeAtNs = nowNs;
    log.warn(
      err === undefined ? { maxConnections } : { err },
      'connections are turned away: no file descriptors are left for them; idle ones are closed. Raise `ulimit -n` if this happens in daily work',
    );
    closeIdle();
  }

  if (maxConnections !== undefined) server.maxConnections = maxConnections;
  server.on('drop', () => makeRoom(undefined));
  // A connection that cannot be accepted is the system's fault; without a listener it would end the process.
  server.on('error', makeRoom);
}

/** Kept for everything that is no connection: models, threads, files, what the runtime opens for itself. */
const LEAST_KEPT = 64;
const KEPT_SHARE = 1 / 8;

/** What this process may hold open, less what it needs for itself. Undefined where the system does not say. */
export function roomForConnections(): number | undefined {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
  return connectionsWithin(limits);
}

/** @param limits the text of /proc/self/limits (proc(5)) */
export function connectionsWithin(limits: string): number | undefined {
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN);
  if (Number.isNaN(openFiles)) return undefined;
  return Math.max(8, Math.floor(openFiles - Math.max(LEAST_KEPT, openFiles * KEPT_SHARE)));
}
