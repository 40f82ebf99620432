import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { decodeInferResponse } from '../../base/oip/decode-response.ts';
import { type CancelToken, NEVER_CANCELLED } from '../../base/util/cancel.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import type { RunResult } from '../../model/engine.ts';
import type { TensorSpec } from '../../model/signature.ts';
import { pickOutputs } from './process-answer.ts';
import { readChildError } from './process-error.ts';
import { breach, type Frame, MAX_RUN_ID } from './process-frame.ts';

/** The runs that a child has been asked for and has not answered yet. */
export interface PendingRuns {
  readonly count: number;
  /**
   * Enters a run for these outputs. `send` gets its id; where it throws, the run was never there.
   * @param cancel nobody waits for it any more
   */
  add(wanted: readonly string[], send: (id: number) => void, cancel?: CancelToken): Promise<RunResult>;
  /** Settles the run that a result or an error is about. @throws NimifyError where the child broke the protocol */
  settle(frame: Frame, outputs: ReadonlyMap<string, TensorSpec>): void;
  /** The child is gone: all fail, a run that alone took too much memory for that reason. */
  failAll(because: NimifyError | undefined): void;
  /** Resolves once there are none. */
  idle(): Promise<void>;
}

export interface PendingRunsOptions {
  readonly clock: Clock;
  readonly runLimitMs: number | undefined;
  readonly memoryLimitBytes: number | undefined;
  /** A run was failed for taking too long: its child must be ended. */
  readonly onOverdue: (error: NimifyError) => void;
}

/**
 * A run that nobody waits for is left to end by itself, unless it goes on for so long and is longer than any that was
 * answered by so much: then it never will, mostly, and keeps its slot from others.
 */
const LEFT_ALONE_MS = 10_000;
const LONGER_THAN_ANY = 4;

interface Run {
  readonly sinceNs: number;
  readonly wanted: readonly string[];
  readonly limit: Timer | undefined;
  leftAlone: Timer | undefined;
  readonly cancel: CancelToken;
  readonly onCancel: () => void;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: NimifyError) => void;
}

export function createPendingRuns(options: PendingRunsOptions): PendingRuns {
  const { clock, runLimitMs, memoryLimitBytes } = options;
  const runs = new Map<number, Run>();
  let waiting: (() => void)[] = [];
  let nextId = 1;
  let longestMs = 0;

  function takeId(): number {
    const id = nextId;
    nextId = id === MAX_RUN_ID ? 1 : id + 1;
    return runs.has(id) ? takeId() : id;
  }

  function remove(id: number, run: Run): void {
    run.limit?.cancel();
    run.leftAlone?.cancel();
    run.cancel.off(run.onCancel);
    runs.delete(id);
    if (runs.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  }

  function onLimit(id: number, limitMs: number): void {
    // Where this process was busy itself, the answer may be waiting to be read: that comes before an immediate.
    setImmediate(() => {
      const run = runs.get(id);
      if (run === undefined) return;
      const error = tooLong(limitMs);
      options.onOverdue(error);
      remove(id, run);
      run.reject(error);
    });
  }

  function onAlone(id: number): void {
    const run = runs.get(id);
    if (run === undefined) return;
    const wholeMs = (clock.nowNs() - run.sinceNs) / 1e6;
    const delayMs = Math.max(LEFT_ALONE_MS, LONGER_THAN_ANY * longestMs - wholeMs);
    run.leftAlone = clock.setTimer(() => onLimit(id, Math.round(wholeMs + delayMs)), delayMs);
  }

  /** @throws NimifyError where it cannot be read; an answer that was not announced fails its run only */
  function finish(run: Run, { kind, body, jsonLength }: Frame, specs: ReadonlyMap<string, TensorSpec>): void {
    if (kind === 'error') {
      run.reject(toRunError(body.subarray(0, jsonLength), memoryLimitBytes));
      return;
    }
    const { outputs, parameters } = decodeInferResponse(body, jsonLength);
    const told = parameters.compute_ns;
    const computeNs = typeof told === 'number' && told >= 0 ? told : clock.nowNs() - run.sinceNs;
    try {
      run.resolve({ outputs: pickOutputs(outputs, run.wanted, specs), computeNs });
    } catch (unfit) {
      run.reject(toNimifyError(unfit));
    }
  }

  return {
    get count() {
      return runs.size;
    },
    add(wanted, send, cancel = NEVER_CANCELLED) {
      return new Promise((resolve, reject) => {
        const id = takeId();
        send(id);
        const limit =
          runLimitMs === undefined ? undefined : clock.setTimer(() => onLimit(id, runLimitMs), runLimitMs);
        const onCancel = () => onAlone(id);
        runs.set(id, {
          ...{ sinceNs: clock.nowNs(), wanted, limit, leftAlone: undefined },
          ...{ cancel, onCancel, resolve, reject },
        });
        cancel.on(onCancel);
      });
    },
    settle(frame, outputs) {
      const run = runs.get(frame.id);
      if (run === undefined) throw breach('the id of a run that is not answered yet', String(frame.id));
      remove(frame.id, run);
      longestMs = Math.max(longestMs, (clock.nowNs() - run.sinceNs) / 1e6);
      try {
        finish(run, frame, outputs);
      } catch (thrown) {
        const error = breach('an answer of the protocol', toNimifyError(thrown).message);
        run.reject(error);
        throw error;
      }
    },
    failAll(because) {
      const inFlight = runs.size;
      const isCulprit = inFlight === 1 && because?.details?.memoryLimitBytes !== undefined;
      for (const [id, run] of [...runs]) {
        remove(id, run);
        run.reject(isCulprit ? ended(because) : crashed(inFlight));
      }
    },
    idle() {
      if (runs.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
  };
}

/** `details.memoryLimitBytes` tells a run that met the limit from others of the same code. */
function toRunError(json: Uint8Array, memoryLimitBytes: number | undefined): NimifyError {
  const { error, isOutOfMemory } = readChildError(json);
  const lacksMemory = isOutOfMemory || error.details?.outOfMemory === true;
  if (!lacksMemory || memoryLimitBytes === undefined) return error;
  const details = { ...error.details, memoryLimitBytes };
  return new NimifyError(error.code, error.message, { details, cause: error.cause });
}

/** The run's own fault: its process was ended for it. */
function ended({ code, message, details, cause }: NimifyError): NimifyError {
  return new NimifyError(code, message, { details: { ...details, inFlight: 1 }, cause });
}

/** @param inFlight runs that died with it, the one that gets this error among them; 0: it was not running yet */
export function crashed(inFlight: number): NimifyError {
  return new NimifyError(
    'ENGINE_CRASHED',
    'The process that runs the model died and is being replaced; try again',
    inFlight === 0 ? {} : { details: { inFlight } },
  );
}

function tooLong(limitMs: number): NimifyError {
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `The run took longer than the ${limitMs} ms that one may take here, and was ended; send fewer or smaller inputs`,
    { details: { runLimitMs: limitMs } },
  );
}
