import type { BatchingChoice } from '../base/config/batching.ts';
import type { Objective } from '../base/config/objective.ts';
import type { Target, TuneChoice } from '../base/config/options.ts';
import type { SloObjectives } from '../base/config/service-level.ts';
import { type EventSink, NO_EVENTS } from '../base/telemetry/events.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { userCacheFolder } from '../base/util/cache-folder.ts';
import type { Clock } from '../base/util/clock.ts';
import { createLoadCache } from '../engine/known-load.ts';
import { prepareModel } from '../engine/prepare.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Model } from '../model/contract.ts';
import type { EngineOptions } from '../model/engine.ts';
import { withOpenRows } from '../model/fixed-rows.ts';
import { createAdmission } from '../policy/admission/admission.ts';
import { createBatching } from '../policy/batching/batching.ts';
import type { BatchingInstruments } from '../policy/batching/contract.ts';
import { createCostModel } from '../policy/batching/cost-model.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import { createQuarantine } from '../policy/quarantine/quarantine.ts';
import type { BatchingMetrics } from './batching-metrics.ts';
import { inFlightLimits, toBatchingOptions, toKeepable, wantsPadding } from './batching-options.ts';
import type { ServedModel } from './contract.ts';
import type { ModelWatch, WatchModel } from './instance-metrics.ts';
import { type Labels, readLabels } from './labels.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import type { FoundModel } from './repository.ts';
import { findSidecar, readExample } from './sidecars.ts';
import type { Configured } from './triton/configure.ts';

export interface AssembleDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: nothing is counted. */
  readonly batchingMetrics?: BatchingMetrics;
  /** Is told what happens to the model. Default: nobody. */
  readonly events?: EventSink;
  /** Counts what becomes of its instances. Default: nobody does. */
  readonly watchModel?: WatchModel;
}

export interface AssembleOptions {
  readonly engine: EngineOptions;
  /** Deadline of a request that sets none, in milliseconds, where there is no objective. */
  readonly defaultTimeoutMs: number;
  readonly batching: BatchingChoice;
  /** The latency that answers are to keep to. */
  readonly objective?: Objective;
  readonly target: Target;
  readonly tune: TuneChoice;
  /** What requests are to keep to. Default: nothing. */
  readonly slo?: SloObjectives;
}

export const DEFAULT_ENGINE_OPTIONS: EngineOptions = { host: 'auto', batchAxis: 'auto' };

/**
 * Builds the stack of one served model, inside out: engine, then policies. The one place where it is done, so
 * that it can be read here.
 * @throws NimifyError where the file cannot be served, with what to do
 */
export async function assemble(
  found: FoundModel,
  deps: AssembleDeps,
  options: AssembleOptions,
): Promise<ServedModel> {
  const watch = deps.watchModel?.(found.name, found.version);
  const watched = watch === undefined ? deps : { ...deps, watchInstance: watch.watchInstance };
  const opened = await openSource(found, watched, options.engine);
  try {
    return await assembleOpened(found, opened, deps, options, watch);
  } catch (failed) {
    await opened.close();
    throw failed;
  }
}

async function assembleOpened(
  found: FoundModel,
  { artifact: whole, engine }: OpenedSource,
  deps: AssembleDeps,
  options: AssembleOptions,
  watch: ModelWatch | undefined,
): Promise<ServedModel> {
  const configured = await readConfiguration(found, whole, deps.log);
  const artifact = configured?.artifact ?? whole;
  const exampleFile = await findSidecar(found, ['example.json']);
  // Before anything is loaded: a file beside the model that does not fit leaves no session behind.
  const labels = { ...(await findLabels(found, artifact, deps.log)), ...configured?.labels };

  const pads = wantsPadding(options.batching, configured?.batching);
  const outside =
    pads && artifact.fixedRows !== undefined ? withOpenRows(artifact.signature) : artifact.signature;
  const prepared = await prepareModel(
    {
      name: found.name,
      version: found.version,
      artifact,
      engine,
      options: { ...configured?.engine, ...options.engine, target: options.target, tune: options.tune },
      pads,
      ...(exampleFile === undefined ? {} : { example: readExample(outside, exampleFile) }),
    },
    { ...deps, loads: createLoadCache(userCacheFolder(), deps.log) },
  );
  const { paddedRows } = prepared;
  const unpadded =
    paddedRows === undefined ? configured?.refuseUnpadded(prepared.notes.batchAxis) : undefined;
  if (unpadded !== undefined) {
    await prepared.model.close({ graceMs: 0 });
    throw unpadded;
  }
  const costs = createCostModel({ seed: prepared.costs });
  const objective = options.objective && toKeepable(options.objective, costs);
  if (objective?.says !== undefined)
    deps.log.warn({ model: found.name, version: found.version }, objective.says);
  const defaultTimeoutMs = objective?.latencyMs ?? options.defaultTimeoutMs;
  const batching = toBatchingOptions({
    choice: options.batching,
    ...(configured?.batching === undefined ? {} : { configured: configured.batching }),
    target: options.target,
    ...(objective === undefined ? {} : { objectiveMs: objective.latencyMs }),
    slots: prepared.slots,
    isBatchable:
      prepared.model.signature.batchAxis === 0 ||
      (paddedRows !== undefined && options.engine.batchAxis !== 'none'),
    ...(paddedRows === undefined ? {} : { paddedRows }),
  });
  const withBatching = createBatching(
    { clock: deps.clock, costs, ...countedBy(deps.batchingMetrics?.(found.name, found.version)) },
    batching,
  );
  // Elsewhere the server itself would end of such a request, and nobody would know of which.
  const withQuarantine =
    prepared.host !== 'process'
      ? (model: Model) => model
      : createQuarantine(
          {
            clock: deps.clock,
            events: deps.events ?? NO_EVENTS,
            onRefused: watch?.refusedPoison ?? (() => {}),
          },
          // Runs that have to be filled up are so by the batcher.
          paddedRows === undefined ? { alone: prepared.model } : {},
        );
  const batched = withQuarantine(withBatching(prepared.model));
  const withAdmission = createAdmission(deps, inFlightLimits(batching, costs));
  const withDeadline = createDeadline(deps, { defaultTimeoutMs });
  const model = withDeadline(withAdmission(configured?.wrap(batched) ?? batched));
  try {
    await configured?.warmUp(model);
  } catch (failed) {
    await model.close({ graceMs: 0 });
    throw failed;
  }
  const example = prepared.example && (configured?.toOutside(prepared.example) ?? prepared.example);

  return {
    name: found.name,
    version: found.version,
    model,
    artifact,
    platform: `${engine.name}_${artifact.format}`,
    labels,
    example,
    ...(example === undefined ? { isUntested: true } : {}),
    notes: { ...prepared.notes, ...(objective === undefined ? {} : { objective: objective.note }) },
    loadedAtMs: deps.clock.wallMs(),
    defaultTimeoutMs,
    ...(options.slo === undefined ? {} : { slo: options.slo }),
    ...(found.config === undefined ? {} : { config: found.config.config }),
  };
}

function countedBy(instruments: BatchingInstruments | undefined) {
  return instruments === undefined ? {} : { instruments };
}

/** Its reader is loaded only where there is something to read. */
async function readConfiguration(
  found: FoundModel,
  artifact: Artifact,
  log: Logger,
): Promise<Configured | undefined> {
  if (found.config === undefined) return undefined;
  const { configure } = await import('./triton/configure.ts');
  return configure(found, artifact, log);
}

/** Of a file beside the model, or of its metadata. */
async function findLabels(found: FoundModel, artifact: Artifact, log: Logger): Promise<Labels> {
  const file = await findSidecar(found, ['labels.json', 'labels.txt']);
  const { labels, misfit } = readLabels(
    artifact.signature,
    artifact.metadata,
    file && { path: file.path, text: new TextDecoder().decode(file.bytes) },
  );
  if (misfit !== undefined) log.warn({ model: found.name, version: found.version }, misfit);
  return labels;
}
