import { Worker } from 'node:worker_threads';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../model/engine.ts';
import { UNWATCHED, type WatchInstance } from '../../model/instance-watch.ts';
import { type FromThread, fromPlainError, type ToThread } from './messages.ts';
import { restartDelayMs } from './restart-delay.ts';
import type { HostSession, SessionInfo, SessionSource } from './session.ts';
import { prepareInputs } from './transfer.ts';

export interface ThreadDeps {
  /** Module that calls `serveThread`; JavaScript, since Node 20 runs nothing else in a worker. */
  readonly entry: URL;
  readonly clock: Clock;
  readonly log: Logger;
  /** Is told what becomes of the thread. Default: nobody. */
  readonly watchInstance?: WatchInstance;
}

/** One worker from its start to its end. */
interface Life {
  readonly worker: Worker;
  readonly info: SessionInfo;
  /** With what the thread threw, where it died of that. */
  readonly ended: Promise<unknown>;
  readonly pending: Map<number, PendingRun>;
}

interface PendingRun {
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: NimifyError) => void;
}

/**
 * A session on a thread of its own. Where the thread dies, its runs fail with ENGINE_CRASHED and it is replaced,
 * at once and then, until one has answered a run, at growing intervals.
 * @throws NimifyError whatever loading there threw
 */
export async function openThreadSession(source: SessionSource, deps: ThreadDeps): Promise<HostSession> {
  const { clock, log } = deps;
  const watch = deps.watchInstance?.() ?? UNWATCHED;
  let listener: () => void = () => {};
  let life: Life | undefined;
  let retry: Timer | undefined;
  let restarting: Promise<void> | undefined;
  let failedRestarts = 0;
  /** Deaths and failed starts since a run was last answered. */
  let deaths = 0;
  let closed = false;
  let nextId = 0;

  async function begin(): Promise<Life> {
    const begun = await startLife(source, deps.entry);
    void begun.ended.then((err) => onEnd(begun, err));
    return begun;
  }

  function onEnd(ended: Life, err: unknown): void {
    for (const run of ended.pending.values()) run.reject(crashed());
    ended.pending.clear();
    if (life === ended) life = undefined;
    if (closed) return;
    replaceLater('a model thread died and is being replaced', err);
  }

  function replaceLater(message: string, err: unknown): void {
    deaths += 1;
    const retryAfterMs = restartDelayMs(deaths, clock.random);
    log.error({ path: source.path, err, retryAfterMs }, message);
    watch.ended('crashed', { inARow: deaths, retryAfterMs });
    listener();
    if (retryAfterMs === 0) restart();
    else retry = clock.setTimer(restart, retryAfterMs);
  }

  function restart(): void {
    restarting = begin().then(
      async (begun) => {
        restarting = undefined;
        if (closed) return leave(begun);
        life = begun;
        failedRestarts = 0;
        watch.replaced();
        listener();
      },
      (failure) => {
        restarting = undefined;
        failedRestarts += 1;
        if (!closed) replaceLater('a model thread did not start again', failure);
      },
    );
  }

  life = await begin();
  const { info } = life;

  return {
    info,
    get available() {
      return life !== undefined;
    },
    get failedRestarts() {
      return failedRestarts;
    },
    onChange(hears) {
      listener = hears;
    },
    run(request) {
      const running = life;
      if (running === undefined) return Promise.reject(crashed());
      return new Promise((resolve, reject) => {
        const id = nextId++;
        postRun(running.worker, id, request);
        running.pending.set(id, {
          resolve(result) {
            if (deaths > 0) watch.steady();
            deaths = 0;
            resolve(result);
          },
          reject,
        });
      });
    },
    async close() {
      closed = true;
      retry?.cancel();
      await restarting;
      if (life !== undefined) await leave(life);
    },
  };
}

/** Starts a worker and waits until it has loaded the model or refused it. */
function startLife(source: SessionSource, entry: URL): Promise<Life> {
  const worker = new Worker(entry, { workerData: source, execArgv: [] });
  const pending = new Map<number, PendingRun>();
  const ended = new Promise<unknown>((resolve) => {
    let fault: unknown;
    worker.on('error', (thrown) => {
      fault = thrown;
    });
    worker.once('exit', () => resolve(fault));
  });
  return new Promise((resolve, reject) => {
    void ended.then((fault) => reject(didNotStart(source.path, fault)));
    worker.on('message', (message: FromThread) => {
      if (message.type === 'loaded') resolve({ worker, info: message.info, ended, pending });
      else if (message.type === 'refused') reject(fromPlainError(message.error));
      else settle(pending, message);
    });
  });
}

function settle(
  pending: Map<number, PendingRun>,
  message: Extract<FromThread, { type: 'result' | 'failed' }>,
): void {
  const run = pending.get(message.id);
  pending.delete(message.id);
  if (message.type === 'failed') run?.reject(fromPlainError(message.error));
  else run?.resolve({ outputs: message.outputs, computeNs: message.computeNs });
}

/** Asks the thread to leave and waits until it has: it first finishes what it runs. */
async function leave({ worker, ended }: Life): Promise<void> {
  worker.postMessage({ type: 'close' } satisfies ToThread);
  await ended;
}

function postRun(worker: Worker, id: number, { inputs, outputs, owner }: RunRequest): void {
  const message = (tensors: RunRequest['inputs']): ToThread => ({
    type: 'run',
    id,
    inputs: tensors,
    outputs,
  });
  const ready = prepareInputs(inputs, owner.holders === 1);
  try {
    worker.postMessage(message(ready.tensors), ready.transfer);
  } catch {
    // A buffer that cannot be detached (WebAssembly's memory, or one marked so). Nothing was: copy them all.
    const copied = prepareInputs(inputs, false);
    worker.postMessage(message(copied.tensors), copied.transfer);
  }
}

function crashed(): NimifyError {
  return new NimifyError(
    'ENGINE_CRASHED',
    'The thread that runs the model died and is being replaced; try again',
  );
}

function didNotStart(path: string, cause: unknown): NimifyError {
  return new NimifyError('ENGINE_CRASHED', `The thread for ${path} ended before it had loaded the model`, {
    cause,
  });
}
