import { NimifyError } from '../../base/errors/nimify-error.ts';
import { encodeInferRequest } from '../../base/oip/encode-request.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import type { Timer } from '../../base/util/clock.ts';
import type { TensorSpec } from '../../model/signature.ts';
import {
  type Child,
  type ChildEnd,
  endText,
  type ProcessDeps,
  type ProcessSource,
  startChild,
} from './process-child.ts';
import { breach, type Frame } from './process-frame.ts';
import type { Hello } from './process-hello.ts';
import { crashed, createPendingRuns } from './process-runs.ts';
import { restartDelayMs, STEADY_NS } from './restart-delay.ts';
import type { HostSession, SessionInfo } from './session.ts';

export interface ProcessOptions extends ProcessSource {
  /** A run that takes longer is ended with its process. Default: no limit. */
  readonly runLimitMs?: number;
}

export type ProcessLimits = Pick<ProcessOptions, 'memoryLimitBytes' | 'isWatchedOnly' | 'runLimitMs'>;

export interface ProcessSession extends HostSession {
  readonly hello: Hello;
}

const PING_EVERY_MS = 10_000;
/** Pings without an answer after which an idle child is taken for stuck. */
const PINGS_UNTIL_STUCK = 3;
/** Time for a child that has nothing to do any more to leave by itself. */
const LEAVE_MS = 5000;

/**
 * A session in a process of its own: whatever happens in there, this process lives. A child that dies is replaced,
 * at first at once and then at growing intervals; its runs fail with ENGINE_CRASHED. A run beyond its limit, and an
 * idle child that does not answer pings, are ended.
 * @throws NimifyError as `startChild`
 */
export async function openProcessSession(
  options: ProcessOptions,
  deps: ProcessDeps,
): Promise<ProcessSession> {
  const { label, runLimitMs, memoryLimitBytes } = options;
  const { clock, log } = deps;
  const onOverdue = (error: NimifyError) => child?.kill(error);
  const runs = createPendingRuns({ clock, runLimitMs, memoryLimitBytes, onOverdue });
  const stop = createCancelSource();
  let listener: () => void = () => {};
  let child: Child | undefined;
  let pings: Timer | undefined;
  let retry: Timer | undefined;
  let starting: Promise<void> | undefined;
  let unanswered = 0;
  let deaths = 0;
  let failedRestarts = 0;
  let closed = false;
  let closing: Promise<void> | undefined;

  async function start(expected?: Hello): Promise<Child> {
    const begun = await startChild(options, deps, onFrame, stop);
    if (expected !== undefined) expectSame(expected, begun, label);
    return begun;
  }

  function adopt(begun: Child): void {
    child = begun;
    unanswered = 0;
    pings = clock.setTimer(ping, PING_EVERY_MS);
    void begun.ended.then((end) => onEnd(begun, end));
  }

  function onEnd(ended: Child, end: ChildEnd): void {
    pings?.cancel();
    child = undefined;
    deaths = clock.nowNs() - ended.startedAtNs > STEADY_NS ? 1 : deaths + 1;
    runs.failAll(end.because);
    if (closed) return;
    const retryAfterMs = Math.round(restartDelayMs(deaths, clock.random));
    const fields = { model: label, pid: ended.pid, signal: end.signal, exitCode: end.code, retryAfterMs };
    log.error({ ...fields, err: end.because }, `a model process ended ${endText(end)} and is being replaced`);
    listener();
    restartAfter(retryAfterMs);
  }

  function restartAfter(delayMs: number): void {
    if (delayMs === 0) restart();
    else retry = clock.setTimer(restart, delayMs);
  }

  function restart(): void {
    starting = start(hello).then(
      (begun) => {
        starting = undefined;
        failedRestarts = 0;
        adopt(begun); // also when closed: `close` waits for this and lets it leave
        if (!closed) log.info({ model: label, pid: begun.pid }, 'a model process was replaced');
        listener();
      },
      (failure) => {
        starting = undefined;
        deaths += 1;
        failedRestarts += 1;
        const retryAfterMs = Math.round(restartDelayMs(deaths, clock.random));
        if (closed) return;
        log.error({ model: label, err: failure, retryAfterMs }, 'a model process did not start again');
        listener();
        restartAfter(retryAfterMs);
      },
    );
  }

  function onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'result':
      case 'error':
        runs.settle(frame, specs);
        return;
      case 'pong':
        unanswered = 0;
        return;
      case 'bye':
        return; // its exit follows
      default:
        throw breach('a result, an error, a pong or a bye', `a ${frame.kind}`);
    }
  }

  /** Only while nothing runs: a child may be deaf while it computes, and the run has a limit of its own. */
  function ping(): void {
    const living = child;
    if (living === undefined) return;
    if (runs.count > 0) unanswered = 0;
    else if (unanswered === PINGS_UNTIL_STUCK) living.kill(stuck());
    else {
      unanswered += 1;
      living.send('ping');
    }
    pings = clock.setTimer(ping, PING_EVERY_MS);
  }

  async function leave(living: Child): Promise<void> {
    pings?.cancel();
    living.send('drain');
    const late = clock.setTimer(() => living.kill(stuck()), LEAVE_MS);
    await living.ended;
    late.cancel();
  }

  const first = await start();
  const { hello } = first;
  const specs: ReadonlyMap<string, TensorSpec> = new Map(
    hello.signature.outputs.map((spec) => [spec.name, spec]),
  );
  adopt(first);

  function close(): Promise<void> {
    closed = true;
    closing ??= finish();
    return closing;
  }

  async function finish(): Promise<void> {
    stop.cancel('shutdown');
    retry?.cancel();
    await starting;
    await runs.idle();
    if (child !== undefined) await leave(child);
  }

  return {
    hello,
    info: toInfo(hello),
    get available() {
      return child !== undefined && !child.isDying && !closed;
    },
    get failedRestarts() {
      return failedRestarts;
    },
    onChange(hears) {
      listener = hears;
    },
    run({ inputs, outputs }) {
      const living = child;
      if (living === undefined || living.isDying) return Promise.reject(crashed());
      return runs.add(outputs, (id) =>
        living.send('run', id, encodeInferRequest({ inputs, outputs }, { binary: true }).chunks),
      );
    },
    close,
    kill() {
      child?.kill(new NimifyError('CANCELLED', 'The process was ended together with what it ran'));
    },
  };
}

/** A replacement must be what it replaces: the signature was promised to clients. */
function expectSame(expected: Hello, begun: Child, label: string): void {
  const same = (hello: Hello) => JSON.stringify([hello.signature, hello.slots]);
  if (same(begun.hello) === same(expected)) return;
  const changed = new NimifyError(
    'ENGINE_FAILED',
    `${label}: the new process has other inputs, outputs or slots than the one it replaces; restart nimify to serve it`,
  );
  begun.kill(changed);
  throw changed;
}

function toInfo({ signature, memoryBytes }: Hello): SessionInfo {
  const { inputs, outputs } = signature;
  return { inputs, outputs, memoryBytes };
}

function stuck(): NimifyError {
  return new NimifyError('ENGINE_FAILED', 'The process had nothing to run and did not answer; it was ended');
}
