import { CRASHES, OUTAGE } from './backend.mjs';
import {
  DAMAGE,
  HALF_OPEN,
  LATENCY,
  RESETS,
  SILENCE,
  SLOW_CLIENTS,
  THIN_LINE,
  VANISHED_CLIENTS,
} from './connections.mjs';
import { KILL_EACH_SECOND, KILL_INSTANCE, STOP_INSTANCE } from './instances.mjs';
import { ABORT_SERVER, KILL_SERVER, MEMORY_OUT, NO_DESCRIPTORS, STALL } from './server.mjs';
import { CLOCK_JUMP, DISK_FULL } from './system.mjs';

const NOTHING = {
  name: 'nothing',
  what: 'nothing: what the machine itself takes from the others',
  bars: ['single'],
  async inject() {},
};

/** There is nothing yet that it could happen to. */
const REMOTE_OUTAGE = {
  name: 'remote-outage',
  what: 'another server that this one asks does not answer',
  bars: [],
  needs: () => 'nimify asks no other servers yet',
};

/**
 * Each is `{name, what, about?, bars, inject}`, and what it wants of the server and the load:
 * `models` (names and instances), `load`, `env`, `wrap`, `isProxied`, `seconds` (how long it lasts in the full and the
 * short form; absent: an instant), `signs` and `mends` (types of events that tell of it and of its end), `endsServer`
 * (who was connected loses his connection), `needs()` (why it cannot be run here, or undefined).
 */
export const FAULTS = [
  NOTHING,
  ...[KILL_INSTANCE, STOP_INSTANCE, KILL_EACH_SECOND],
  ...[ABORT_SERVER, KILL_SERVER, MEMORY_OUT, NO_DESCRIPTORS, STALL],
  ...[DISK_FULL, CLOCK_JUMP],
  ...[LATENCY, THIN_LINE, RESETS, SILENCE, HALF_OPEN, DAMAGE, SLOW_CLIENTS, VANISHED_CLIENTS],
  ...[OUTAGE, CRASHES, REMOTE_OUTAGE],
];
