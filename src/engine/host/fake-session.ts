import type { RunRequest, RunResult } from '../../model/engine.ts';
import type { HostSession, SessionInfo } from './session.ts';

export interface FakeSession extends HostSession {
  readonly runs: readonly RunRequest[];
  readonly closed: boolean;
  set(change: { readonly available?: boolean; readonly failedRestarts?: number }): void;
}

/** A session without an engine, for tests of what is built on sessions. */
export function createFakeSession(
  options: {
    readonly info?: Partial<SessionInfo>;
    readonly run?: (request: RunRequest) => RunResult | Promise<RunResult>;
    /** Default: there is no such way. */
    readonly runNow?: (request: RunRequest) => RunResult;
  } = {},
): FakeSession {
  const { runNow } = options;
  const runs: RunRequest[] = [];
  const state = { available: true, failedRestarts: 0 };
  let closed = false;
  let listener: () => void = () => {};
  return {
    info: { inputs: [], outputs: [], memoryBytes: 0, ...options.info },
    runs,
    get available() {
      return state.available;
    },
    get failedRestarts() {
      return state.failedRestarts;
    },
    get closed() {
      return closed;
    },
    set(change) {
      Object.assign(state, change);
      listener();
    },
    onChange(hears) {
      listener = hears;
    },
    async run(request) {
      runs.push(request);
      return (await options.run?.(request)) ?? { outputs: [], computeNs: 1000 };
    },
    ...(runNow === undefined
      ? {}
      : {
          runNow(request: RunRequest) {
            runs.push(request);
            return runNow(request);
          },
        }),
    async close() {
      closed = true;
    },
  };
}
