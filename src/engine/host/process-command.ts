import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { findProgram } from './find-program.ts';

/**
 * The command as it is started. On Linux two small programs of util-linux stand before it and become it (exec),
 * where they are there: `setpriv` lets the kernel kill the child when its parent dies, even in the middle of a
 * run in which it cannot notice by itself; `prlimit` sets RLIMIT_DATA, without it a shell's `ulimit` does.
 *
 * RLIMIT_DATA bounds private writable memory, so that an allocation beyond it fails; RLIMIT_AS would count
 * addresses that are only reserved, of which V8 alone takes a gigabyte.
 */
export async function toLaunchCommand(
  command: readonly string[],
  memoryLimitBytes: number | undefined,
): Promise<readonly string[]> {
  if (process.platform !== 'linux') return command;
  const dies = (await hasParentDeathSignal()) ? DIES_WITH_PARENT : [];
  if (memoryLimitBytes === undefined) return [...dies, ...command];
  const dataBytes = memoryLimitBytes + reservedBytes();
  const limits =
    (await findProgram('prlimit')) === undefined
      ? ['sh', '-c', 'ulimit -d "$0" && exec "$@"', String(Math.ceil(dataBytes / 1024))]
      : ['prlimit', `--data=${dataBytes}`];
  return [...dies, ...limits, ...command];
}

/** Writable, but never touched: stacks of threads (8 MiB each) and what V8 keeps ready. */
function reservedBytes(): number {
  return (64 + 10 * availableParallelism()) * 2 ** 20;
}

const DIES_WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL'];
let probed: Promise<boolean> | undefined;

/** BusyBox has a `setpriv` too, which does not know the option; so it is tried, once. */
function hasParentDeathSignal(): Promise<boolean> {
  probed ??= new Promise((resolve) => {
    const [program = '', ...args] = DIES_WITH_PARENT;
    execFile(program, [...args, 'true'], (error) => resolve(error === null));
  });
  return probed;
}
