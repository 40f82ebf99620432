import { NimifyError } from '../../../base/errors/nimify-error.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { type CancelToken, NEVER_CANCELLED } from '../../../base/util/cancel.ts';
import type { Clock } from '../../../base/util/clock.ts';
import type { RunRequest, RunResult } from '../../../model/engine.ts';
import type { RunPlaces } from '../../host/run-places.ts';
import type { HostSession, SessionSource } from '../../host/session.ts';
import { toLoadError, toRunError } from '../native-errors.ts';
import { endRunsAtExit, inFlight } from './in-flight.ts';
import { KnownShapes } from './known-shapes.ts';
import { type Library, loadLibrary } from './library.ts';
import { openHandle, type SessionHandle } from './open-handle.ts';
import { ownerOfOutputs } from './output-pool.ts';
import { RunSlot } from './run-slot.ts';

export interface SharedSessionDeps {
  readonly clock: Clock;
  readonly places: RunPlaces;
}

/**
 * Loads a model as one session for any number of runs at once, each on one of libuv's threads, or within the call that
 * asks for it. It is loaded on such a thread, too: the event loop goes on meanwhile.
 * @throws NimifyError INVALID_INPUT, UNSUPPORTED, NOT_FOUND, ENGINE_FAILED
 */
export async function openSharedSession(
  source: SessionSource,
  deps: SharedSessionDeps,
): Promise<HostSession> {
  const library = loadLibrary();
  endRunsAtExit();
  const before = process.memoryUsage.rss();
  const handle = await open(library, source);
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - before);
  const { inputs, outputs } = handle;
  return {
    ...shareSession(library, handle, deps),
    info: { inputs, outputs, memoryBytes },
    available: true,
    failedRestarts: 0,
    onChange() {},
  };
}

async function open(library: Library, source: SessionSource): Promise<SessionHandle> {
  try {
    return await openHandle(library, source.path, source);
  } catch (thrown) {
    throw toLoadError(source.path, thrown);
  }
}

/** @param handle is closed with the session */
export function shareSession(
  library: Library,
  handle: SessionHandle,
  { clock, places }: SharedSessionDeps,
): Pick<Required<HostSession>, 'run' | 'runNow' | 'close'> {
  const shapes = new KnownShapes();
  /** As many as there ever were runs at once. */
  const idle: RunSlot[] = [];
  /** Begun and not over, those that wait for a place among them. */
  let running = 0;
  let whenIdle: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  function takeSlot(): RunSlot {
    return idle.pop() ?? new RunSlot(library, handle, shapes);
  }

  /** Asked when a run begins: one that has begun may wait for its place while the session is being closed. */
  function mustBeOpen(): void {
    if (closing !== undefined) throw new Error('the session is closed');
  }

  function runNow(request: RunRequest): RunResult {
    try {
      mustBeOpen();
      const slot = takeSlot();
      try {
        const startNs = clock.nowNs();
        const outputs = slot.runNow(request);
        return { outputs, computeNs: clock.nowNs() - startNs, owner: ownerOfOutputs(outputs) };
      } finally {
        idle.push(slot);
      }
    } catch (thrown) {
      throw toRunError(thrown);
    }
  }

  function run(request: RunRequest, cancel: CancelToken = NEVER_CANCELLED): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      try {
        mustBeOpen();
      } catch (closed) {
        reject(toRunError(closed));
        return;
      }
      running += 1;
      const over = (failure: unknown, result?: RunResult) => {
        running -= 1;
        places.leave();
        if (result === undefined) reject(cancel.cancelled ? ended(cancel) : toRunError(failure));
        else resolve(result);
        if (running === 0) whenIdle?.();
      };
      places.enter(() => {
        try {
          start(request, cancel, over);
        } catch (failed) {
          over(failed);
        }
      });
    });
  }

  function start(
    request: RunRequest,
    cancel: CancelToken,
    over: (failure: unknown, result?: RunResult) => void,
  ): void {
    const slot = takeSlot();
    const end = () => slot.terminate();
    const startNs = clock.nowNs();
    const done = (failure: unknown, outputs: readonly Tensor[]) => {
      const computeNs = clock.nowNs() - startNs;
      inFlight.delete(slot);
      cancel.off(end);
      idle.push(slot);
      if (failure === undefined) over(undefined, { outputs, computeNs, owner: ownerOfOutputs(outputs) });
      else over(failure);
    };
    try {
      slot.run(request, done);
    } catch (failed) {
      idle.push(slot);
      throw failed;
    }
    inFlight.add(slot);
    cancel.on(end);
  }

  async function close(): Promise<void> {
    await new Promise<void>((resolve) => {
      whenIdle = resolve;
      if (running === 0) resolve();
    });
    for (const slot of idle) slot.free();
    await handle.close();
  }

  return {
    run,
    runNow,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function ended({ reason }: CancelToken): NimifyError {
  return reason === 'deadline'
    ? new NimifyError('DEADLINE_EXCEEDED', 'The deadline passed during the run, which was ended')
    : new NimifyError('CANCELLED', 'Nobody waits for the run any more, so it was ended');
}
