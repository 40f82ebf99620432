export interface Invocation {
  /** What follows the program: the command and what it is given. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Node's own flags. */
  readonly execArgv: readonly string[];
}

/**
 * Whether a command is to be watched over, by what can be known before anything is loaded. What a configuration file
 * says is known to the server only, which then is not started again.
 */
export function wantsSupervisor({ args, env, platform, execArgv }: Invocation): boolean {
  const [command, ...given] = args;
  // Listening sockets cannot be left to another process there.
  if (command !== 'serve' || platform === 'win32') return false;
  // Whoever looks on by a debugger looks for the server.
  if (execArgv.some((flag) => flag.startsWith('--inspect'))) return false;
  // Several processes have one that watches over them.
  if ('NIMIFY_PROCESS' in env || (lastOf('--processes', given) ?? env.NIMIFY_PROCESSES ?? '1') !== '1') {
    return false;
  }
  if ('NIMIFY_SUPERVISED' in env || given.includes('--help') || given.includes('-h')) return false;
  return (lastOf('--supervise', given) ?? env.NIMIFY_SUPERVISE ?? 'auto').toLowerCase() !== 'off';
}

/** The last value of a flag: it is the one that counts. */
function lastOf(flag: string, given: readonly string[]): string | undefined {
  const at = given.findLastIndex((text) => text === flag || text.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return given[at] === flag ? given[at + 1] : given[at]?.slice(flag.length + 1);
}
