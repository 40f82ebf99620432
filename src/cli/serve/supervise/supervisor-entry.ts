import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { systemClock } from '../../../base/util/clock.ts';
import type { Inheritance, ServerEnd } from './messages.ts';
import { environmentOf, type SupervisedPlace } from './supervised-place.ts';
import { type HeldPort, superviseServer } from './supervisor.ts';
import { wantsSupervisor } from './wants-supervisor.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * Watches over `nimify serve`, in the process that was started: the server is another one, started here. Nothing of the
 * server is loaded here, so that this process is small and stands; the build makes one file of it.
 * @param program the command's own script
 * @returns false where this command is not watched over, and nothing has been done
 */
export function supervise(program: string): boolean {
  const { argv, env, platform, execArgv } = process;
  if (!wantsSupervisor({ args: argv.slice(2), env, platform, execArgv })) return false;
  const supervisor = superviseServer({
    // What is waited for is all that holds this process between two servers.
    clock: { ...systemClock, setTimer: setHoldingTimer },
    start: (place, ports, inheritance) => startServer(program, place, ports, inheritance),
    finish,
  });
  for (const name of SIGNALS) process.on(name, () => supervisor.signal(name));
  return true;
}

function startServer(
  program: string,
  place: SupervisedPlace,
  ports: readonly HeldPort[],
  inheritance: Inheritance | undefined,
): ChildProcess {
  const stdio: StdioOptions = ['inherit', 'inherit', 'inherit', 'ipc', ...ports.map(({ fd }) => fd)];
  const server = spawn(process.execPath, [...process.execArgv, program, ...process.argv.slice(2)], {
    stdio,
    env: { ...process.env, ...environmentOf(place) },
    // Keeps bytes as they are.
    serialization: 'advanced',
  });
  if (inheritance !== undefined) server.send(inheritance, () => {});
  return server;
}

function setHoldingTimer(callback: () => void, delayMs: number) {
  const timer = setTimeout(callback, delayMs);
  return { cancel: () => clearTimeout(timer) };
}

/** Ends as the server did: whoever started the command sees no difference. */
function finish({ code, signal }: ServerEnd): void {
  for (const name of SIGNALS) process.removeAllListeners(name);
  if (signal === null) {
    process.exit(code ?? 1);
  } else {
    process.kill(process.pid, signal);
    // The first process of a container is immune to its own signals.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  }
}
