import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** What people start: `serve` is watched over there. */
const COMMAND = fileURLToPath(new URL('../../bin/nimify.cjs', import.meta.url));

export interface Finished {
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the built command line. */
export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with what stood on stdout once `pattern` matches it; rejects where the program ends before. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  /** The same for stderr, where the log goes. */
  logged(pattern: RegExp): Promise<RegExpMatchArray>;
}

/** Starts `nimify` from dist/, with stdout and stderr as pipes. */
export function startNimify(
  args: readonly string[],
  options: {
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly cwd?: string;
    /** As it is installed, watched over: the process that serves is another one. Default false. */
    readonly isInstalled?: boolean;
  } = {},
): Running {
  const child = spawn(process.execPath, [options.isInstalled === true ? COMMAND : PROGRAM, ...args], {
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(options.input ?? '');
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const listener of listeners) listener();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const listener of listeners) listener();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (exitCode, signal) =>
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined, stdout, stderr }),
    );
  });
  function shown(text: () => string, pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(text());
        if (match === null) return;
        listeners.delete(look);
        resolve(match);
      };
      listeners.add(look);
      look();
      void finished.then((end) => reject(new Error(`ended before ${pattern}: ${end.stdout}${end.stderr}`)));
    });
  }
  return {
    process: child,
    finished,
    printed: (pattern) => shown(() => stdout, pattern),
    logged: (pattern) => shown(() => stderr, pattern),
  };
}

/** Runs `nimify` to its end. */
export function runNimify(...args: readonly string[]): Promise<Finished> {
  return startNimify(args).finished;
}
