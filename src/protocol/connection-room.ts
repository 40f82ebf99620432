import { readFileSync } from 'node:fs';
import type { Server } from 'node:net';
import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';

export interface ConnectionRoomOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Most connections that are held open, all ports together. Undefined: as many as the system gives. */
  readonly maxConnections: number | undefined;
}

/**
 * The room for connections, which all ports share: each may take what the others leave of it. Turns connections away
 * when there is none, instead of failing at whatever opens the next file or socket; then closes some of those that are
 * not used, so that others get their turn: clients who connected and said nothing, or else connections on which no
 * request runs. Before it comes to that, each who comes takes the place of the oldest who says nothing. Clients take that as any end of an idle connection: they connect again.
 */
export interface ConnectionRoom {
  /**
   * To be called once for each server, before it listens.
   * @param makeRoom closes connections that are not used
   * @param closeSilent closes the oldest whose client has not said anything, if there is one. Default: does nothing
   */
  open(server: Server, makeRoom: () => void, closeSilent?: () => void): Door;
}

/** Where the connections of one server come in. */
export interface Door {
  /** To be called for each connection that was accepted. */
  entered(): void;
  /** To be called when it is closed. */
  left(): void;
}

interface OpenDoor {
  readonly server: Server;
  readonly makeRoom: () => void;
  readonly closeSilent: () => void;
  inside: number;
}

/**
 * Part of the room that is left for whoever comes next by those who say nothing: at least as many as are accepted at once,
 * since a connection is gone only a turn of the event loop after it has been closed.
 */
const LEFT_SHARE = 1 / 4;
const MOST_LEFT = 32;

/** At most one line and one round of closing in this time, however many are turned away. */
const QUIET_NS = 1e9;

export function createConnectionRoom({ clock, log, maxConnections }: ConnectionRoomOptions): ConnectionRoom {
  const doors: OpenDoor[] = [];
  const crowded =
    maxConnections === undefined
      ? Number.POSITIVE_INFINITY
      : maxConnections - Math.min(MOST_LEFT, maxConnections * LEFT_SHARE);
  let inside = 0;
  let roomMadeAtNs = Number.NEGATIVE_INFINITY;

  function turnedAway(err: Error | undefined): void {
    const nowNs = clock.nowNs();
    if (nowNs - roomMadeAtNs < QUIET_NS) return;
    roomMadeAtNs = nowNs;
    log.warn(
      err === undefined ? { maxConnections } : { err },
      'connections are turned away: there is no room for them; unused ones are closed. Raise `ulimit -n`, or --max-connections where it is set, if this happens in daily work',
    );
    for (const door of doors) door.makeRoom();
  }

  function share(): void {
    if (maxConnections === undefined) return;
    for (const door of doors) {
      // Node before 21 takes 0 for no limit at all.
      door.server.maxConnections = Math.max(1, maxConnections - (inside - door.inside));
    }
  }

  function count(door: OpenDoor, more: 1 | -1): void {
    door.inside += more;
    inside += more;
    share();
    if (more > 0 && inside > crowded) door.closeSilent();
  }

  return {
    open(server, makeRoom, closeSilent = () => {}) {
      const door: OpenDoor = { server, makeRoom, closeSilent, inside: 0 };
      doors.push(door);
      share();
      server.on('drop', () => turnedAway(undefined));
      // A connection that cannot be accepted is the system's fault; without a listener it would end the process.
      server.on('listening', () => server.on('error', turnedAway));
      return { entered: () => count(door, 1), left: () => count(door, -1) };
    },
  };
}

/**
 * Kept for everything that is no connection: models, threads, what the runtime opens for itself, more descriptors of the
 * listening sockets, and the files of what is loaded on demand, some forty at once.
 */
const LEAST_KEPT = 104;
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
