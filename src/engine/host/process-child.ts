import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import { type CancelToken, NEVER_CANCELLED } from '../../base/util/cancel.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { WatchInstance } from '../../model/instance-watch.ts';
import { countProcess } from './engine-processes.ts';
import { toLaunchCommand } from './process-command.ts';
import { type ChildError, readChildError } from './process-error.ts';
import {
  breach,
  createFrameReader,
  encodeFrame,
  type Frame,
  type FrameKind,
  PROTOCOL_VERSION,
} from './process-frame.ts';
import { type Hello, readHello } from './process-hello.ts';
import { watchMemory } from './process-memory.ts';
import { readOutput } from './process-output.ts';

export interface ProcessSource {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Variables set for the child beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the messages call it: the path of the model. */
  readonly label: string;
  /** Largest resident size of the child, from its start to its end. Default: no limit. */
  readonly memoryLimitBytes?: number;
  /** The limit is watched, but allocations beyond it are not refused. Default false. */
  readonly isWatchedOnly?: boolean;
  /** Time until the child has said hello. Default 10 min: large models load slowly. */
  readonly startLimitMs?: number;
}

export interface ProcessDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Is told what becomes of each process. Default: nobody. */
  readonly watchInstance?: WatchInstance;
}

/** Why nimify ended the child; undefined where it died by itself. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly because: NimifyError | undefined;
}

/** One process from its hello to its end. */
export interface Child {
  readonly pid: number;
  readonly hello: Hello;
  readonly startedAtNs: number;
  /** It was killed, and its end is on the way: nothing more may be asked of it. */
  readonly isDying: boolean;
  /** Resolves once, after the last frame. */
  readonly ended: Promise<ChildEnd>;
  /** @throws NimifyError PAYLOAD_TOO_LARGE; nothing has been sent then */
  send(kind: FrameKind, id?: number, parts?: readonly Uint8Array[]): void;
  /** Ends it at once, with all that it started. */
  kill(because: NimifyError): void;
}

const DEFAULT_START_LIMIT_MS = 600_000;
/** The wire: a duplex stream that is not stdout, so that nothing a program prints gets into it. */
const WIRE_FD = 3;
/** How long a dead child's wire is still read where something that it started holds it open. */
const LINGER_MS = 250;

/**
 * Starts a process and waits for its hello. `onFrame` gets what follows; where it throws, the child has broken the
 * protocol and is killed. `stop` ends it while it starts, and means nothing afterwards.
 * @throws NimifyError what the child refused with; ENGINE_FAILED: it died, broke the protocol, took too long or
 * too much memory
 */
export async function startChild(
  source: ProcessSource,
  deps: ProcessDeps,
  onFrame: (frame: Frame) => void,
  stop: CancelToken = NEVER_CANCELLED,
): Promise<Child> {
  const { clock, log } = deps;
  const { label, memoryLimitBytes } = source;
  const [program = '', ...args] = await toLaunchCommand(
    source.command,
    source.isWatchedOnly === true ? undefined : memoryLimitBytes,
  );
  const startedAtNs = clock.nowNs();
  const started = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...childEnv(), ...source.env },
    // A group of its own: Ctrl-C in the terminal is not for it, and it can be ended with all that it started.
    detached: !isWindows,
    windowsHide: true,
  });
  const wire = started.stdio[WIRE_FD] as unknown as Duplex;
  readOutput(started.stdout!, clock, (line) => log.info({ model: label, pid: started.pid }, line));
  readOutput(started.stderr!, clock, (line) => log.warn({ model: label, pid: started.pid }, line));

  let because: NimifyError | undefined;
  let refused: ChildError | undefined;
  let child: Child | undefined;
  let startLimit: Timer | undefined;

  function kill(why: NimifyError): void {
    because ??= why;
    killGroup(started);
  }

  const onStop = () => kill(new NimifyError('CANCELLED', `${label}: closed while its process was starting`));
  stop.on(onStop);

  return new Promise((resolve, reject) => {
    function take(frame: Frame): void {
      if (child !== undefined) onFrame(frame);
      else if (frame.kind === 'hello') begin(readHello(frame.body.subarray(0, frame.jsonLength)));
      else if (frame.kind === 'error') {
        refused = readChildError(frame.body.subarray(0, frame.jsonLength));
        kill(refused.error);
      } else throw breach('a hello first', frame.kind);
    }

    function begin(hello: Hello): void {
      startLimit?.cancel();
      stop.off(onStop);
      child = {
        ...{ pid: started.pid!, hello, startedAtNs, ended, send, kill },
        get isDying() {
          return because !== undefined;
        },
      };
      resolve(child);
    }

    function send(kind: FrameKind, id = 0, parts: readonly Uint8Array[] = []): void {
      const chunks = encodeFrame(kind, id, parts);
      if (!wire.writable) return; // it is dying; the runs hear of it by its end
      wire.cork();
      for (const chunk of chunks) wire.write(chunk);
      wire.uncork();
    }

    const reader = createFrameReader(take);
    wire.on('data', (chunk: Buffer) => {
      if (because !== undefined) return;
      try {
        reader.push(chunk);
      } catch (thrown) {
        kill(thrown instanceof NimifyError ? thrown : breach('a message of the protocol', String(thrown)));
      }
    });
    wire.on('error', () => {}); // EPIPE: it is gone, which its exit says

    const uncount = started.pid === undefined ? undefined : countProcess(started.pid);
    const ended = waitForEnd(started, wire, clock).then((end): ChildEnd => {
      uncount?.();
      startLimit?.cancel();
      watch?.stop();
      killGroup(started); // what it started must not outlive it
      wire.destroy();
      return { ...end, because };
    });
    const watch =
      memoryLimitBytes === undefined || started.pid === undefined
        ? undefined
        : watchMemory({
            pid: started.pid,
            limitBytes: memoryLimitBytes,
            clock,
            onExceeded: () => kill(tooMuchMemory(label, memoryLimitBytes, child !== undefined)),
          });
    const limitMs = source.startLimitMs ?? DEFAULT_START_LIMIT_MS;
    startLimit = clock.setTimer(() => kill(tooSlow(label, limitMs)), limitMs);

    void ended.then((end) => {
      if (child === undefined) reject(didNotStart(source, end, refused));
    });
  });
}

const isWindows = process.platform === 'win32';

/** What a child is told of the protocol; one that is started by hand misses it and can say so. */
function childEnv(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NIMIFY_ENGINE_PROTOCOL: String(PROTOCOL_VERSION),
    NIMIFY_ENGINE_FD: String(WIRE_FD),
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (isWindows) child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody of the group is left.
  }
}

/** Its exit, and everything that it wrote before. */
function waitForEnd(
  child: ChildProcess,
  wire: Duplex,
  clock: Clock,
): Promise<Pick<ChildEnd, 'code' | 'signal'> & { readonly error?: Error }> {
  return new Promise((resolve) => {
    let isRead = false;
    let onRead = () => {};
    wire.once('close', () => {
      isRead = true;
      onRead();
    });
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: null, signal: null, error });
    });
    child.once('exit', (code, signal) => {
      const linger = clock.setTimer(() => resolve({ code, signal }), LINGER_MS);
      onRead = () => {
        linger.cancel();
        resolve({ code, signal });
      };
      if (isRead) onRead();
    });
  });
}

function didNotStart(
  { label, command, memoryLimitBytes }: ProcessSource,
  end: ChildEnd & { readonly error?: Error },
  refused: ChildError | undefined,
): NimifyError {
  if (refused?.isOutOfMemory === true && memoryLimitBytes !== undefined) {
    return tooMuchMemory(label, memoryLimitBytes, false, refused.error.cause);
  }
  if (end.because !== undefined) return end.because;
  if (end.error !== undefined) {
    return new NimifyError(
      'ENGINE_FAILED',
      `${label}: the program ${command[0]} cannot be started; check its path`,
      {
        details: { where: label },
        cause: end.error,
      },
    );
  }
  const limit =
    memoryLimitBytes === undefined ? '' : ` (it may take ${mebibytes(memoryLimitBytes)} by the memory limit)`;
  return new NimifyError(
    'ENGINE_FAILED',
    `${label}: the process ended ${endText(end)} before it said hello${limit}; what it printed is in the log`,
    { details: { where: label, ...(end.signal === null ? { exitCode: end.code } : { signal: end.signal }) } },
  );
}

export function endText({ code, signal }: Pick<ChildEnd, 'code' | 'signal'>): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`;
}

function tooSlow(label: string, limitMs: number): NimifyError {
  return new NimifyError(
    'ENGINE_FAILED',
    `${label}: the process said no hello within ${limitMs / 1000} s; it must speak nimify's engine protocol on file ` +
      `descriptor ${WIRE_FD}, see docs/engine-protocol.md`,
    { details: { where: label } },
  );
}

/** `details.memoryLimitBytes` tells this fault from others of the same code. */
export function tooMuchMemory(
  label: string,
  limitBytes: number,
  isLoaded: boolean,
  cause?: unknown,
): NimifyError {
  const message = isLoaded
    ? `A run took more than the ${mebibytes(limitBytes)} that the model may use; send fewer or smaller inputs, or ` +
      'raise the memory limit'
    : `${label} needs more than ${mebibytes(limitBytes)} to load; raise the memory limit if this machine has more, ` +
      'or serve a smaller model';
  return new NimifyError('ENGINE_FAILED', message, { details: { memoryLimitBytes: limitBytes }, cause });
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
