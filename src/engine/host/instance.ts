import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { CancelToken } from '../../base/util/cancel.ts';
import type {
  EnginePart,
  HostKind,
  InstanceHealth,
  RunRequest,
  RunResult,
  UsualRun,
} from '../../model/engine.ts';
import type { Signature } from '../../model/signature.ts';
import type { HostSession } from './session.ts';

export interface InstanceParts {
  readonly host: HostKind;
  readonly hostReason: string;
  readonly signature: Signature;
  readonly usualRun?: UsualRun | undefined;
  readonly memoryBytes: number;
  /** The session of each slot; slots may share one. */
  readonly sessions: readonly HostSession[];
  /** Where a slot's run is to go, if not to the slot's own session. */
  readonly run?: (session: HostSession, request: RunRequest, cancel: CancelToken) => Promise<RunResult>;
  /** The slot's run done before it returns; undefined: not this one. Absent: none is. */
  readonly runNow?: (session: HostSession, request: RunRequest) => RunResult | undefined;
  /** Frees what is not in `sessions`. */
  readonly close?: () => Promise<void>;
}

/** Failed restarts in a row after which a session counts as failed; it is tried on all the same. */
const RESTARTS_UNTIL_FAILED = 3;

/** Slots over sessions: who holds which, and what of it is well. */
export function createHostedInstance(parts: InstanceParts): EnginePart {
  const { sessions, runNow } = parts;
  const separate = [...new Set(sessions)];
  const staysWithSlot = parts.run === undefined && runNow === undefined && parts.close === undefined;
  const held = sessions.map(() => false);
  let listener: () => void = () => {};
  for (const session of separate) session.onChange(() => listener());

  function freeSlot(): number {
    for (let slot = 0; slot < sessions.length; slot++) {
      if (!held[slot] && sessions[slot]!.available) return slot;
    }
    return -1;
  }

  function release(slot: number): void {
    if (!held[slot]) throw new Error(`slot ${slot} released twice`);
    held[slot] = false;
    listener();
  }

  return {
    host: parts.host,
    hostReason: parts.hostReason,
    signature: parts.signature,
    slots: sessions.length,
    memoryBytes: parts.memoryBytes,
    ...(parts.usualRun === undefined ? {} : { usualRun: parts.usualRun }),
    get health() {
      return healthOf(sessions);
    },
    get hasRoom() {
      return freeSlot() >= 0;
    },
    onFree(hears) {
      listener = hears;
    },
    tryAcquire() {
      const slot = freeSlot();
      if (slot < 0) return undefined;
      held[slot] = true;
      return { slot, release: () => release(slot) };
    },
    run({ slot }, request, cancel) {
      const session = sessions[slot];
      if (session === undefined) return Promise.reject(new Error(`there is no slot ${slot}`));
      if (cancel.cancelled) return Promise.reject(new NimifyError('CANCELLED', 'The request was cancelled'));
      return parts.run?.(session, request, cancel) ?? session.run(request, cancel);
    },
    ...(runNow === undefined
      ? {}
      : {
          // The slot need not be held: nobody can ask for it before the run is over.
          runNow(request: RunRequest) {
            const slot = freeSlot();
            return slot < 0 ? undefined : runNow(sessions[slot]!, request);
          },
        }),
    ...(sessions.every((session) => session.kill !== undefined)
      ? {
          kill() {
            for (const session of separate) session.kill?.();
          },
        }
      : {}),
    ...(staysWithSlot && separate.length > 1
      ? {
          split: () =>
            separate.map((one) =>
              createHostedInstance({
                ...parts,
                memoryBytes: parts.memoryBytes / separate.length,
                sessions: sessions.filter((session) => session === one),
              }),
            ),
        }
      : {}),
    async drain() {
      await Promise.all(separate.map((session) => session.close()));
      await parts.close?.();
    },
  };
}

function healthOf(sessions: readonly HostSession[]): InstanceHealth {
  if (sessions.every((session) => session.available)) return 'ready';
  return sessions.every((session) => session.failedRestarts >= RESTARTS_UNTIL_FAILED) ? 'failed' : 'degraded';
}
