import type { BatchingChoice } from '../../base/config/batching.ts';
import type { Target } from '../../base/config/options.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import { rowCount, sliceRows } from '../../base/tensor/rows.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { Clock } from '../../base/util/clock.ts';
import { type PreparedModel, prepareModel } from '../../engine/prepare.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { EngineOptions, HostKind } from '../../model/engine.ts';
import { withOpenRows } from '../../model/fixed-rows.ts';
import { createInferRequest } from '../../model/request.ts';
import { createBatching } from '../../policy/batching/batching.ts';
import { createCostModel } from '../../policy/batching/cost-model.ts';
import { toBatchingOptions, wantsPadding } from '../../registry/batching-options.ts';
import { openSource } from '../../registry/open-source.ts';
import type { FoundModel } from '../../registry/repository.ts';
import { findSidecar, readExample } from '../../registry/sidecars.ts';
import { type Configured, configure } from '../../registry/triton/configure.ts';
import type { PlannedBatching } from '../../registry/triton/plan.ts';
import type { Plan, Subject } from './contract.ts';

/** What holds whatever the plan. */
export interface HeldOptions {
  /** Providers, limits, the interpreter. */
  readonly engine: EngineOptions;
  /** As it is now: whether a model of fixed batches is to be filled up. Default `auto`. */
  readonly batching?: BatchingChoice;
}

export interface SubjectOptions extends HeldOptions {
  readonly target: Target;
  readonly objectiveMs?: number;
}

export interface SubjectDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a model is like when it is loaded without a plan. */
export interface SubjectFacts {
  readonly artifact: Artifact;
  readonly host: HostKind;
  /** Of one instance. */
  readonly instanceBytes: number;
  /** What its `config.pbtxt` says of what is searched for. */
  readonly configured: {
    readonly instances?: number;
    readonly intraOpThreads?: number;
    readonly batching?: PlannedBatching;
  };
}

/**
 * A model file or program, to be loaded with whatever plan is to be tried. Where it has a `config.pbtxt`, that holds as
 * it does when the model is served: behind the plan, and behind a batching other than `auto`.
 */
export function createSubject(found: FoundModel, deps: SubjectDeps, options: SubjectOptions): Subject {
  return {
    async open(plan) {
      const engine: EngineOptions = {
        ...options.engine,
        ...toEngineOptions(plan, options.engine),
        tune: 'auto',
      };
      const { prepared, artifact, configured } = await load(found, deps, { ...options, engine });
      const { model, slots, costs, notes, example, paddedRows } = prepared;
      const isPadded = paddedRows !== undefined && engine.batchAxis !== 'none';
      const isBatchable = model.signature.batchAxis === 0 || isPadded;
      if (example === undefined) {
        await model.close({ graceMs: 0 });
        throw noExample(artifact, notes.selfTest);
      }
      const one = isBatchable ? { ...example, inputs: firstRow(example.inputs) } : example;
      const { inputs } = configured?.toOutside(one) ?? one;
      const { target, objectiveMs } = options;
      return {
        batchAxis: { isBatchable, reason: (notes.batchAxis ?? '').replace(/^\w+: /, '') },
        slots,
        ...(isPadded ? { paddedRows } : {}),
        memoryBytes: bytesOf(prepared, artifact),
        request: createInferRequest({ model: model.name, inputs }),
        batched(choice) {
          const wishes = { choice, target, slots, isBatchable };
          const batching = toBatchingOptions({
            ...wishes,
            ...(objectiveMs === undefined ? {} : { objectiveMs }),
            ...(configured?.batching === undefined ? {} : { configured: configured.batching }),
            ...(paddedRows === undefined ? {} : { paddedRows }),
          });
          const withBatching = createBatching(
            { clock: deps.clock, costs: createCostModel({ seed: costs }) },
            batching,
          );
          const batched = withBatching(model);
          return configured?.wrap(batched) ?? batched;
        },
        close: () => model.close({ graceMs: 1000 }),
      };
    },
  };
}

/** Loads the model once, as it would be without a plan. @throws NimifyError where it cannot be */
export async function lookAt(found: FoundModel, deps: SubjectDeps, held: HeldOptions): Promise<SubjectFacts> {
  const engine: EngineOptions = { ...held.engine, instances: 1, tune: 'off' };
  const { prepared, artifact, configured } = await load(found, deps, { ...held, engine });
  await prepared.model.close({ graceMs: 0 });
  const { instances, intraOpThreads } = configured?.engine ?? {};
  return {
    ...{ artifact, host: prepared.host, instanceBytes: bytesOf(prepared, artifact) },
    configured: {
      ...(instances === undefined ? {} : { instances }),
      ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
      ...(configured?.batching === undefined ? {} : { batching: configured.batching }),
    },
  };
}

interface Loaded {
  readonly prepared: PreparedModel;
  readonly artifact: Artifact;
  readonly configured: Configured | undefined;
}

async function load(
  found: FoundModel,
  deps: SubjectDeps,
  { engine: options, batching = 'auto' }: HeldOptions,
): Promise<Loaded> {
  const { artifact: whole, engine, close } = await openSource(found, deps, options);
  try {
    const { name, version } = found;
    const configured = found.config && (await configure(found, whole, deps.log));
    const artifact = configured?.artifact ?? whole;
    const pads = wantsPadding(batching, configured?.batching);
    const isOpen = pads && artifact.fixedRows !== undefined;
    const outside = isOpen ? withOpenRows(artifact.signature) : artifact.signature;
    const file = await findSidecar(found, ['example.json']);
    const input = {
      ...{ name, version, artifact, engine, options: { ...configured?.engine, ...options }, pads },
      ...(file === undefined ? {} : { example: readExample(outside, file) }),
    };
    const prepared = await prepareModel(input, deps);
    const unpadded =
      prepared.paddedRows === undefined ? configured?.refuseUnpadded(prepared.notes.batchAxis) : undefined;
    if (unpadded === undefined) return { prepared, artifact, configured };
    await prepared.model.close({ graceMs: 0 });
    throw unpadded;
  } catch (failed) {
    await close();
    throw failed;
  }
}

/**
 * A plan as it is asked for. `auto` comes to the main thread by itself, and takes large batches off it again; and to the
 * native host, or to threads where there is none any more.
 */
export function toEngineOptions(
  { host, instances, intraOpThreads, session }: Plan,
  engine: Pick<EngineOptions, 'host'>,
): Partial<EngineOptions> {
  const asked = host === 'inline' || host === 'native' ? (engine.host === host ? host : 'auto') : host;
  const division = host === 'inline' ? { intraOpThreads } : { instances, intraOpThreads };
  return { host: asked, ...division, ...session };
}

/** What a small model takes is lost in the noise: its file is in memory at least. */
function bytesOf({ memoryBytes }: PreparedModel, { sizeBytes }: Artifact): number {
  return Math.max(memoryBytes, sizeBytes);
}

function firstRow(inputs: readonly Tensor[]): readonly Tensor[] {
  return inputs.map((tensor) => (rowCount(tensor) > 1 ? sliceRows(tensor, 0, 1) : tensor));
}

function noExample({ path }: Artifact, reason = ''): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    `${path}: no request is known that the model answers (${reason}), so nothing can be measured; put an ` +
      'example.json beside it',
    { details: { where: path } },
  );
}
