import type { BatchingChoice } from '../base/config/batching.ts';
import type { Objective } from '../base/config/objective.ts';
import type { Target, TuneChoice } from '../base/config/options.ts';
import { DEFAULT_POLICIES, type PolicyChoices } from '../base/config/policies.ts';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { type Logger, SILENT } from '../base/telemetry/log.ts';
import { type Clock, systemClock } from '../base/util/clock.ts';
import type { EngineOptions } from '../model/engine.ts';
import { assemble, DEFAULT_ENGINE_OPTIONS } from './assemble.ts';
import type { ServedModel } from './contract.ts';
import { takeInventory } from './inventory.ts';
import type { FoundModel } from './repository.ts';

export interface LoadModelOptions {
  /** Default: the file's name, or its folder's where the file is called `model`. */
  readonly name?: string;
  readonly engine?: Partial<EngineOptions>;
  /** Deadline of a request that sets none, in milliseconds. Default 30 000. */
  readonly defaultTimeoutMs?: number;
  /** How requests that wait are run together. Default `auto`. */
  readonly batching?: BatchingChoice;
  /** The latency that answers are to keep to, and the deadline of requests that set none. Default: none. */
  readonly objective?: Objective;
  /** Default `balanced`. */
  readonly target?: Target;
  /**
   * Default `off`: a load that measures takes longer. `full` compares instances and threads alone; a server searches sizes
   * of batches and windows, too.
   */
  readonly tune?: TuneChoice;
  /** What stands between requests and an engine that fails; what is left out is as in a server. */
  readonly policies?: Partial<PolicyChoices>;
  /** Default: silent. */
  readonly log?: Logger;
  readonly clock?: Clock;
}

/**
 * Loads one model into this process, without a server. Close `model` when done with it.
 * @throws NimifyError where the file cannot be served
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<ServedModel> {
  return loadFound(await findOnly(path, options.name), options);
}

/** The one model that lies there. @throws NimifyError where there is none, or more than one */
export async function findOnly(path: string, name?: string): Promise<FoundModel> {
  const { models } = await takeInventory([name === undefined ? path : { path, name }]);
  const found = models.flatMap((model) => model.found);
  const [broken] = models.flatMap(({ unservable }) => unservable);
  if (broken !== undefined && found.length === 0) throw broken.error;
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = found.map((model) => model.name).join(', ');
  throw new NimifyError('CONFIG_INVALID', `${path} holds ${found.length} models (${names}); name one file`);
}

/** Loads what was found. @throws NimifyError where it cannot be served */
export function loadFound(found: FoundModel, options: LoadModelOptions = {}): Promise<ServedModel> {
  return assemble(
    found,
    { clock: options.clock ?? systemClock, log: options.log ?? SILENT },
    {
      engine: { ...DEFAULT_ENGINE_OPTIONS, ...options.engine },
      defaultTimeoutMs: options.defaultTimeoutMs ?? 30_000,
      batching: options.batching ?? 'auto',
      target: options.target ?? 'balanced',
      tune: options.tune ?? 'off',
      policies: { ...DEFAULT_POLICIES, ...options.policies },
      ...(options.objective === undefined ? {} : { objective: options.objective }),
    },
  );
}
