import type { BatchingChoice } from '../base/config/batching.ts';
import type { Objective } from '../base/config/objective.ts';
import type { Target, TuneChoice } from '../base/config/options.ts';
import type { PolicyChoices } from '../base/config/policies.ts';
import type { SloObjectives } from '../base/config/service-level.ts';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { type EventSink, NO_EVENTS } from '../base/telemetry/events.ts';
import type { Logger } from '../base/telemetry/log.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { userCacheFolder } from '../base/util/cache-folder.ts';
import { createCancelSource } from '../base/util/cancel.ts';
import type { Clock } from '../base/util/clock.ts';
import { createLoadCache } from '../engine/known-load.ts';
import { prepareModel } from '../engine/prepare.ts';
import type { Artifact } from '../model/artifact.ts';
import { createContext } from '../model/context.ts';
import type { Model } from '../model/contract.ts';
import type { EngineOptions, HostKind } from '../model/engine.ts';
import { withOpenRows } from '../model/fixed-rows.ts';
import { createInferRequest } from '../model/request.ts';
import { createAdmission } from '../policy/admission/admission.ts';
import { createBatching } from '../policy/batching/batching.ts';
import type { BatchingInstruments } from '../policy/batching/contract.ts';
import { createCostModel } from '../policy/batching/cost-model.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import { createQuarantine } from '../policy/quarantine/quarantine.ts';
import type { BatchingMetrics } from './batching-metrics.ts';
import { inFlightLimits, toBatchingOptions, toKeepable, wantsPadding } from './batching-options.ts';
import type { Circuits } from './circuits.ts';
import type { ServedModel } from './contract.ts';
import type { ModelWatch, WatchModel } from './instance-metrics.ts';
import { type Labels, readLabels } from './labels.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import type { PolicyDeps } from './policies.ts';
import type { PolicyMetrics } from './policy-metrics.ts';
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
  /** Default: nothing is counted. */
  readonly policyMetrics?: PolicyMetrics;
  /** Default: the model's alone. */
  readonly circuits?: Circuits;
  /** What else is served: a fallback may be another model. Default: nothing. */
  readonly find?: (name: string, version?: string) => Model;
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
  /** What stands between requests and an engine that fails. */
  readonly policies: PolicyChoices;
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

  const { policies } = options;
  const instruments = deps.policyMetrics?.(found.name, found.version);
  const policyDeps: PolicyDeps = {
    clock: deps.clock,
    log: deps.log,
    circuits: deps.circuits ?? new Map(),
    find: deps.find ?? nothingElse,
    ...(deps.events === undefined ? {} : { events: deps.events }),
    ...(instruments === undefined ? {} : { instruments }),
  };
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
      joinMembers: async (host) =>
        (await loadPolicies(policies, host))?.joinMembersOf(policies, host, found, policyDeps),
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
  const withAdmission = createAdmission(
    { clock: deps.clock, ...(instruments === undefined ? {} : { instruments: instruments.admission }) },
    { ...inFlightLimits(batching, costs), ...policies.bulkhead },
  );
  const admitted = withAdmission(configured?.wrap(batched) ?? batched);
  const withDeadline = createDeadline(deps, { defaultTimeoutMs });
  const example = prepared.example && (configured?.toOutside(prepared.example) ?? prepared.example);
  const { host } = prepared;
  const subject = { name: found.name, version: found.version, revision: admitted.revision };
  let model = admitted;
  let breaker: ServedModel['breaker'];
  try {
    const loaded = await loadPolicies(policies, host);
    const broken = loaded?.breakerOf(policies, host, subject, policyDeps);
    if (broken !== undefined && example !== undefined) {
      const isReady = () => isAnswered(admitted, example.inputs, deps.clock);
      const withdraw = broken.circuit.probeWith(isReady);
      // The circuit outlives it: it is the backend's, whoever was loaded to ask it.
      admitted.onState((state) => {
        if (state === 'draining') withdraw();
      });
    }
    breaker = broken?.circuit;
    model = broken?.policy(model) ?? model;
    model = loaded?.retryOf(policies, host, policyDeps)?.(model) ?? model;
    model = loaded?.fallbackOf(policies, model, policyDeps)?.(model) ?? model;
    model = withDeadline(model);
    await configured?.warmUp(model);
  } catch (failed) {
    await model.close({ graceMs: 0 });
    throw failed;
  }

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
    ...(breaker === undefined ? {} : { breaker }),
    ...(found.config === undefined ? {} : { config: found.config.config }),
  };
}

/** Loaded only for those who want any: by default models that run in processes, which may crash by themselves. */
async function loadPolicies(choices: PolicyChoices, host: HostKind) {
  const { breaker, retry, ejection, hedge, fallback } = choices;
  const isWanted =
    hedge !== 'off' ||
    fallback !== undefined ||
    [breaker, retry, ejection].some(
      (choice) => choice !== 'off' && (choice !== 'auto' || host === 'process'),
    );
  return isWanted ? import('./policies.ts') : undefined;
}

/** A model that was loaded by itself has no others beside it. */
function nothingElse(name: string): never {
  throw new NimifyError('MODEL_NOT_FOUND', `'${name}' is not served here`);
}

/** Longest time for a backend to show that it is well again. */
const PROBE_MS = 5000;

/** The self-test once more. */
async function isAnswered(model: Model, inputs: readonly Tensor[], clock: Clock): Promise<boolean> {
  const cancel = createCancelSource();
  const late = clock.setTimer(() => cancel.cancel('deadline'), PROBE_MS);
  const request = createInferRequest({ model: model.name, inputs });
  const context = createContext({ cancel, deadlineAtNs: clock.nowNs() + PROBE_MS * 1e6 });
  try {
    const { owner } = await model.infer(request, context);
    owner.release();
    return true;
  } catch {
    return false;
  } finally {
    late.cancel();
  }
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
