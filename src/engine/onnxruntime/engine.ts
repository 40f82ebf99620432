import { fileURLToPath } from 'node:url';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import { userCacheFolder } from '../../base/util/cache-folder.ts';
import type { Clock } from '../../base/util/clock.ts';
import { workerUrl } from '../../base/util/module-url.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { Engine, EngineOptions } from '../../model/engine.ts';
import type { WatchInstance } from '../../model/instance-watch.ts';
import type { Signature } from '../../model/signature.ts';
import { loadInstance } from '../host/load-instance.ts';
import { openProcessSession } from '../host/process.ts';
import type { HostSession, SessionSource } from '../host/session.ts';
import { thisMachine } from '../host/this-machine.ts';
import { openThreadSession } from '../host/thread.ts';
import type { Machine } from '../host/thread-plan.ts';
import { createTuningCache, type TuningCache } from '../host/tuning-cache.ts';
import { findNative, type NativeVerdict } from './native/find-native.ts';
import { openSharedSession } from './native/shared-session.ts';
import { findPackage } from './package.ts';
import { checkProviders, hasCpuOnly } from './providers.ts';
import { refuseTelemetry } from './runtime.ts';
import { checkSession, openOrtSession } from './session.ts';

export interface OnnxRuntimeDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Is told what becomes of each thread and process. Default: nobody. */
  readonly watchInstance?: WatchInstance;
  /** Default: the cores and memory that the system grants this process. */
  readonly machine?: Machine;
  /** Whether the native host can be had. Default: it is tried. */
  readonly tryNative?: () => Promise<NativeVerdict>;
  /** What earlier starts measured. Default: in the user's cache folder. */
  readonly tunings?: TuningCache;
}

/** ONNX Runtime through the package onnxruntime-node, on the main thread, on worker threads, or in processes. */
export function createOnnxRuntimeEngine(deps: OnnxRuntimeDeps): Engine {
  const { clock, log, machine, tunings, watchInstance, tryNative = findNative } = deps;
  const watched = withoutUnset({ watchInstance });
  return {
    name: 'onnxruntime',
    version: engineVersion,
    async load(artifact, options) {
      refuseTelemetry();
      await checkProviders(options.providers);
      const { providers, memoryArena, graphOptimization } = options;
      const ofSession = withoutUnset({ providers, memoryArena, graphOptimization });
      const having = (source: SessionSource): SessionSource => ({ ...source, ...ofSession });
      return loadInstance(artifact, options, {
        clock,
        log,
        machine: machine ?? thisMachine(),
        tunings: tunings ?? createTuningCache(userCacheFolder(), log),
        engineVersion,
        openInline: (source) => openOrtSession(having(source), clock),
        openThread: (source) =>
          openThreadSession(having(source), {
            entry: workerUrl(import.meta.url, './thread-entry.cjs'),
            clock,
            log,
            ...watched,
          }),
        openNative: async (source) => openNative(having(source), clock, await tryNative()),
        whyNotNative: async (runs) => whyNotNative(await tryNative(), providers, runs),
        openProcess: (source, limits) =>
          openProcessSession(
            {
              ...{ ...limits, command: processCommand(having(source)), label: source.path },
              // Others may wait for what they have set to work.
              isBusyInRuns: hasCpuOnly(providers),
            },
            { clock, log, ...watched },
          ),
        confirm: (session) => confirmSignature(artifact, session),
      });
    },
  };
}

function engineVersion(): string {
  return `onnxruntime-node ${findPackage().version}`;
}

/** @throws NimifyError UNSUPPORTED where this machine, or what is asked for, does not let it be done */
async function openNative(source: SessionSource, clock: Clock, found: NativeVerdict): Promise<HostSession> {
  if (!found.ok) throw noNative(found.reason, found.cause);
  if (!hasCpuOnly(source.providers)) throw noNative('execution providers are given');
  return openSharedSession(source, { clock, places: found.places });
}

/** Why `auto` does without it; undefined: it does not. */
function whyNotNative(
  found: NativeVerdict,
  providers: EngineOptions['providers'],
  runs: number,
): string | undefined {
  if (!hasCpuOnly(providers)) return 'execution providers are given';
  if (!found.ok) return found.reason;
  if (process.platform === 'win32') return 'it has not been tried on Windows';
  const { count } = found.places;
  if (count >= runs) return undefined;
  return `libuv's pool has room for ${count} of ${runs} runs at once; set UV_THREADPOOL_SIZE to ${runs + 4} or more`;
}

function noNative(why: string, cause?: unknown): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    `engine.host: 'native' cannot be had: ${why}; use 'auto' or 'thread'`,
    { details: { where: 'engine.host' }, cause },
  );
}

function processCommand(source: SessionSource): readonly string[] {
  const entry = fileURLToPath(workerUrl(import.meta.url, './process-entry.cjs'));
  return [process.execPath, entry, JSON.stringify(source)];
}

/**
 * The artifact's signature without what this engine cannot take: onnxruntime-node feeds no input that has a
 * default in the graph (given one, it silently uses the default), so such inputs are not offered.
 */
function confirmSignature(artifact: Artifact, { info }: HostSession): Signature {
  const { signature, path } = artifact;
  const inputs = signature.inputs.filter(
    (spec) => spec.optional !== true || info.inputs.some((input) => input.name === spec.name),
  );
  checkSession(path, info, {
    inputs: inputs.map((spec) => spec.name),
    outputs: signature.outputs.map((spec) => spec.name),
  });
  return inputs.length === signature.inputs.length ? signature : { ...signature, inputs };
}
