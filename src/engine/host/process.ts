import { NimifyError } from '../../base/errors/nimify-error.ts';
import { encodeInferRequest } from '../../base/oip/encode-request.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import type { Timer } from '../../base/util/clock.ts';
import { type InstanceEnd, UNWATCHED } from '../../model/instance-watch.ts';
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
import { type Heartbeat, startHeartbeat } from './process-heartbeat.ts';
import type { Hello } from './process-hello.ts';
import { crashed, createPendingRuns, type PendingRuns } from './process-runs.ts';
import { inTurn } from './recycle-turn.ts';
import { restartDelayMs, STEADY_NS } from './restart-delay.ts';
import type { HostSession, SessionInfo } from './session.ts';

export interface ProcessOptions extends ProcessSource {
  /** A run that takes longer is ended with its process. Default: no limit. */
  readonly runLimitMs?: number;
  /** Resident size at which another process takes the child's place, which ends when its runs have. Default: any is well. */
  readonly recycleBytes?: number;
  /** A run takes processor time for as long as it lasts. Default false. */
  readonly isBusyInRuns?: boolean;
}

export type ProcessLimits = Pick<
  ProcessOptions,
  'memoryLimitBytes' | 'isWatchedOnly' | 'runLimitMs' | 'recycleBytes'
>;

export interface ProcessSession extends HostSession {
  readonly hello: Hello;
}

/** A child, and what it has been asked for. */
interface Life {
  readonly child: Child;
  readonly runs: PendingRuns;
  readonly heartbeat: Heartbeat;
}

/** Time for a child that has nothing to do any more to leave by itself. */
const LEAVE_MS = 5000;
/** Least time between two replacements for size: one that is as large from its start would be replaced on and on. */
const RECYCLE_EVERY_NS = 60e9;

/**
 * A session in a process of its own: whatever happens in there, this process lives. A child that dies is replaced,
 * at first at once and then at growing intervals; its runs fail with ENGINE_CRASHED. A run beyond its limit, and a
 * child that gives no sign of life, are ended. One that has grown too large is replaced while its runs go on.
 * @throws NimifyError as `startChild`
 */
export async function openProcessSession(
  options: ProcessOptions,
  deps: ProcessDeps,
): Promise<ProcessSession> {
  const { label, runLimitMs, memoryLimitBytes, recycleBytes, isBusyInRuns = false } = options;
  const { clock, log } = deps;
  const watch = deps.watchInstance?.() ?? UNWATCHED;
  const stop = createCancelSource();
  const leaving = new Set<Promise<void>>();
  let listener: () => void = () => {};
  let life: Life | undefined;
  let retry: Timer | undefined;
  let steady: Timer | undefined;
  let starting: Promise<void> | undefined;
  let recycling: Promise<void> | undefined;
  let recycledAtNs = Number.NEGATIVE_INFINITY;
  let deaths = 0;
  let failedRestarts = 0;
  let closed = false;
  let closing: Promise<void> | undefined;

  async function start(expected?: Hello): Promise<Life> {
    let begun: Life | undefined;
    const onOverdue = (error: NimifyError) => begun?.child.kill(error);
    const runs = createPendingRuns({ clock, runLimitMs, memoryLimitBytes, onOverdue });
    const onPong = () => begun?.heartbeat.pong();
    const child = await startChild(options, deps, (frame) => onFrame(frame, runs, onPong), stop);
    if (expected !== undefined) expectSame(expected, child, label);
    const heartbeat = startHeartbeat({
      ...{ pid: child.pid, clock, isBusyInRuns, recycleBytes },
      runCount: () => runs.count,
      ping: () => child.send('ping'),
      onStuck: (how) => child.kill(stuck(how)),
      onOversize: (residentBytes) => begun && onOversize(begun, residentBytes),
    });
    begun = { child, runs, heartbeat };
    return begun;
  }

  function adopt(begun: Life): void {
    life = begun;
    void begun.child.ended.then((end) => onEnd(begun, end));
    steady?.cancel();
    if (deaths > 0) steady = clock.setTimer(watch.steady, STEADY_NS / 1e6);
  }

  function onEnd(ended: Life, end: ChildEnd): void {
    const { child, runs, heartbeat } = ended;
    heartbeat.stop();
    runs.failAll(end.because);
    if (life !== ended) return;
    life = undefined;
    steady?.cancel();
    deaths = clock.nowNs() - child.startedAtNs > STEADY_NS ? 1 : deaths + 1;
    if (closed) return;
    const retryAfterMs = Math.round(restartDelayMs(deaths, clock.random));
    const fields = { model: label, pid: child.pid, signal: end.signal, exitCode: end.code, retryAfterMs };
    log.error({ ...fields, err: end.because }, `a model process ended ${endText(end)} and is being replaced`);
    watch.ended(whyEnded(end), { inARow: deaths, retryAfterMs });
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
        if (!closed) {
          log.info({ model: label, pid: begun.child.pid }, 'a model process was replaced');
          watch.replaced();
        }
        listener();
      },
      (failure) => {
        starting = undefined;
        deaths += 1;
        failedRestarts += 1;
        const retryAfterMs = Math.round(restartDelayMs(deaths, clock.random));
        if (closed) return;
        log.error({ model: label, err: failure, retryAfterMs }, 'a model process did not start again');
        watch.ended('crashed', { inARow: deaths, retryAfterMs });
        listener();
        restartAfter(retryAfterMs);
      },
    );
  }

  /** The new one is there before the old one gets no more runs, so that none is lost and none waits. */
  function onOversize(large: Life, residentBytes: number): void {
    const nowNs = clock.nowNs();
    if (closed || life !== large || recycling !== undefined || nowNs - recycledAtNs < RECYCLE_EVERY_NS)
      return;
    recycledAtNs = nowNs;
    const fields = { model: label, pid: large.child.pid, residentBytes, recycleBytes };
    recycling = inTurn(() => start(hello)).then(
      (begun) => {
        recycling = undefined;
        // It may have died meanwhile, and another have taken its place.
        if (closed || life !== large) {
          void retire(begun);
          return;
        }
        adopt(begun);
        log.warn(fields, 'a model process has grown too large and was replaced');
        watch.ended('recycled', { inARow: 1, retryAfterMs: 0 });
        listener();
        void retire(large);
      },
      (failure) => {
        recycling = undefined;
        log.error(
          { ...fields, err: failure },
          'a model process has grown too large and could not be replaced',
        );
      },
    );
  }

  function onFrame(frame: Frame, runs: PendingRuns, onPong: () => void): void {
    switch (frame.kind) {
      case 'result':
      case 'error':
        runs.settle(frame, specs);
        return;
      case 'pong':
        onPong();
        return;
      case 'bye':
        return; // its exit follows
      default:
        throw breach('a result, an error, a pong or a bye', `a ${frame.kind}`);
    }
  }

  /** Lets it finish what it runs, and then leave. */
  function retire(old: Life): Promise<void> {
    const left = leave(old).finally(() => leaving.delete(left));
    leaving.add(left);
    return left;
  }

  async function leave({ child, runs, heartbeat }: Life): Promise<void> {
    await runs.idle();
    heartbeat.stop();
    child.send('drain');
    const late = clock.setTimer(() => child.kill(stuck('it did not leave')), LEAVE_MS);
    await child.ended;
    late.cancel();
  }

  const first = await start();
  const { hello } = first.child;
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
    steady?.cancel();
    await starting;
    await recycling;
    if (life !== undefined) await leave(life);
    await Promise.all(leaving);
  }

  return {
    hello,
    info: toInfo(hello),
    get available() {
      return life !== undefined && !life.child.isDying && !closed;
    },
    get failedRestarts() {
      return failedRestarts;
    },
    onChange(hears) {
      listener = hears;
    },
    run({ inputs, outputs }, cancel) {
      if (life === undefined || life.child.isDying) return Promise.reject(crashed(0));
      const { child, runs } = life;
      const send = (id: number) =>
        child.send('run', id, encodeInferRequest({ inputs, outputs }, { binary: true }).chunks);
      return runs.add(outputs, send, cancel);
    },
    close,
    kill() {
      life?.child.kill(new NimifyError('CANCELLED', 'The process was ended together with what it ran'));
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

function whyEnded({ because }: ChildEnd): InstanceEnd {
  if (because?.details?.stuck === true) return 'stuck';
  if (because?.details?.runLimitMs !== undefined) return 'overdue';
  return because?.details?.memoryLimitBytes === undefined ? 'crashed' : 'memory';
}

function stuck(how: string): NimifyError {
  return new NimifyError('ENGINE_FAILED', `The process gave no sign of life: ${how}; it was ended`, {
    details: { stuck: true },
  });
}
