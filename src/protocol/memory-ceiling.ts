import { totalmem } from 'node:os';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { readCgroupLimits } from '../base/util/cgroup.ts';
import type { MemoryRoom } from './memory-room.ts';

/** Of what a container or the machine has: the rest is the system's, for its buffers, and processes beside this one. */
const AUTO_SHARE = 0.8;

/** Without room for a body of this size nothing much can be served. */
const LEAST_BODY_BYTES = 8 * 2 ** 20;

/** The ceiling of memory that is meant by the setting, in bytes, for one of `processes` on this machine. */
export function ceilingOf(setting: 'auto' | number, processes = 1): number {
  if (setting !== 'auto') return setting;
  const grantedBytes = readCgroupLimits().memoryBytes ?? Number.POSITIVE_INFINITY;
  return Math.floor((Math.min(totalmem(), grantedBytes) * AUTO_SHARE) / processes);
}

/**
 * To be called when the models are loaded. A ceiling that was asked for and leaves no room for requests is refused; one
 * that nobody asked for is raised then: the system may still have more.
 *
 * @throws NimifyError CONFIG_INVALID
 */
export function settleCeiling(room: MemoryRoom, setting: 'auto' | number, log: Logger): void {
  const { ceilingBytes, usedBytes, ceilingFor } = room.survey();
  const leastBytes = ceilingFor(LEAST_BODY_BYTES);
  if (ceilingBytes === undefined || ceilingBytes >= leastBytes) return;
  if (setting !== 'auto') throw tooLow(leastBytes, usedBytes, ceilingBytes);
  room.raise(leastBytes);
  log.warn(
    { usedBytes, ceilingBytes: leastBytes },
    'the models leave hardly any memory for requests; give the server more, or serve fewer models',
  );
}

function tooLow(leastBytes: number, usedBytes: number, gotBytes: number): NimifyError {
  return new NimifyError(
    'CONFIG_INVALID',
    `server.maxMemoryBytes: expected at least ${toMib(leastBytes)}, since the process holds ${toMib(usedBytes)} with its models loaded, and requests need room too; got ${toMib(gotBytes)}; raise it, serve fewer models, or set \`engine.instances: 1\``,
    {
      details: { where: 'server.maxMemoryBytes', expected: { minBytes: leastBytes }, got: gotBytes },
    },
  );
}

function toMib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
