import type { ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../../../base/util/clock.ts';
import { restartDelayMs, STEADY_NS } from '../../../engine/host/restart-delay.ts';
import type { PortFlag } from '../../../protocol/listen.ts';
import { createChanges } from '../processes/changes.ts';
import type { ListeningHandle } from '../processes/native-handle.ts';
import type { FromServer, Inheritance, ServerEnd } from './messages.ts';
import type { SupervisedPlace } from './supervised-place.ts';

/** A listening socket that nobody accepts on here. */
export type HeldPort = Pick<ListeningHandle, 'close'> & { readonly fd: number };

export type ServerProcess = Pick<ChildProcess, 'pid' | 'kill' | 'on'>;

export interface SupervisorDeps {
  readonly clock: Clock;
  /**
   * Starts a server.
   * @param ports the sockets to be its file descriptors, as `place.ports` numbers them
   * @param inheritance undefined: it is the first
   */
  readonly start: (
    place: SupervisedPlace,
    ports: readonly HeldPort[],
    inheritance: Inheritance | undefined,
  ) => ServerProcess;
  /** There is no server any more, nor will there be. */
  readonly finish: (end: ServerEnd) => void;
}

export interface Supervisor {
  /** Passes it on. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void;
}

/** The descriptors before are standard input, output and error, and the channel. */
const FIRST_FD = 4;

/**
 * Starts a server, and another in its place where it dies after it has served: at once, and then after growing pauses.
 * The listening sockets are held meanwhile, so that who connects waits instead of being refused. A server that does not
 * come to serve at all, or that ends because somebody wants it to, is the end.
 */
export function superviseServer({ clock, start, finish }: SupervisorDeps): Supervisor {
  const ports = new Map<PortFlag, HeldPort>();
  const changes = createChanges();
  let config: Inheritance['config'] | undefined;
  let running: ServerProcess | undefined;
  let pause: Timer | undefined;
  let readyAtNs: number | undefined;
  let deaths = 0;
  let restarts = 0;
  let isEnding = false;

  function startServer(ended?: ServerEnd): void {
    const held = [...ports];
    const place = {
      restarts,
      ports: Object.fromEntries(held.map(([flag], at) => [flag, FIRST_FD + at])),
    };
    const inheritance =
      ended === undefined || config === undefined ? undefined : { config, changes: changes.all(), ended };
    const server = start(
      place,
      held.map(([, port]) => port),
      inheritance,
    );
    running = server;
    readyAtNs = undefined;
    server.on('message', (message, port) => hear(message as FromServer, port as unknown as HeldPort));
    // Where there is a process, its exit says all there is to know.
    server.on('error', () => {
      if (server.pid === undefined) onEnd({ code: 1, signal: null });
    });
    server.on('exit', (code, signal) => onEnd({ code, signal }));
  }

  function hear(message: FromServer, port: HeldPort): void {
    if (message.kind === 'port') ports.set(message.flag, port);
    else if (message.kind === 'shut') shut(message.flag);
    else if (message.kind === 'changed') changes.keep(message.change);
    else {
      config = message.config;
      readyAtNs ??= clock.nowNs();
    }
  }

  function shut(flag: PortFlag): void {
    ports.get(flag)?.close();
    ports.delete(flag);
  }

  function onEnd(end: ServerEnd): void {
    running = undefined;
    if (isEnding || config === undefined || isWanted(end)) {
      for (const flag of ports.keys()) shut(flag);
      finish(end);
      return;
    }
    const wasSteady = readyAtNs !== undefined && clock.nowNs() - readyAtNs >= STEADY_NS;
    deaths = wasSteady ? 1 : deaths + 1;
    restarts += 1;
    pause = clock.setTimer(() => startServer(end), restartDelayMs(deaths, clock.random));
  }

  startServer();
  return {
    signal(name) {
      if (name !== 'SIGHUP') isEnding = true;
      if (running !== undefined) running.kill(name);
      else if (isEnding) {
        pause?.cancel();
        onEnd({ code: null, signal: name });
      }
    },
  };
}

/** Somebody told the server itself to end. */
function isWanted({ code, signal }: ServerEnd): boolean {
  return signal === null ? code === 0 : ['SIGTERM', 'SIGINT', 'SIGHUP'].includes(signal);
}
