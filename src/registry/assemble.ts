import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import { prepareModel } from '../engine/prepare.ts';
import type { Artifact } from '../model/artifact.ts';
import type { EngineOptions } from '../model/engine.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import { createDeclared, reshapeOutward } from '../policy/declared/declared.ts';
import type { ServedModel } from './contract.ts';
import { type Labels, readLabels } from './labels.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import type { FoundModel } from './repository.ts';
import { findSidecar, readExample } from './sidecars.ts';
import { readConfiguredLabels } from './triton/model-labels.ts';
import { narrowArtifact, planFound } from './triton/plan-found.ts';
import { warmUp } from './triton/warm-up.ts';

export interface AssembleDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AssembleOptions {
  readonly engine: EngineOptions;
  /** Deadline of a request that sets none, in milliseconds. */
  readonly defaultTimeoutMs: number;
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
  const opened = await openSource(found, deps, options.engine);
  try {
    return await assembleOpened(found, opened, deps, options);
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
): Promise<ServedModel> {
  const plan = await planFound(found, whole, deps.log);
  const { declared, maxWaiting, engine: planned } = plan?.settings ?? {};
  const artifact = narrowArtifact(whole, declared);
  const exampleFile = await findSidecar(found, ['example.json']);
  // Before anything is loaded: a file beside the model that does not fit leaves no session behind.
  const labels = await findLabels(found, artifact, deps.log);

  const prepared = await prepareModel(
    {
      name: found.name,
      version: found.version,
      artifact,
      engine,
      options: { ...planned, ...options.engine },
      ...(exampleFile === undefined ? {} : { example: readExample(artifact.signature, exampleFile) }),
      ...(maxWaiting === undefined ? {} : { maxWaiting }),
    },
    deps,
  );
  const withDeadline = createDeadline(deps, { defaultTimeoutMs: options.defaultTimeoutMs });
  const { batchAxis } = prepared.model.signature;
  const withDeclared =
    declared && createDeclared({ ...declared, signature: { ...declared.signature, batchAxis } });
  const model = withDeadline(withDeclared?.(prepared.model) ?? prepared.model);
  try {
    if (found.folder !== undefined && found.config !== undefined) {
      await warmUp(model, found.folder, found.config.config);
    }
  } catch (failed) {
    await model.close({ graceMs: 0 });
    throw failed;
  }

  const example = prepared.example && {
    ...prepared.example,
    inputs: reshapeOutward(prepared.example.inputs, declared?.inputs ?? {}),
    outputs: reshapeOutward(prepared.example.outputs, declared?.outputs ?? {}).filter(({ name }) =>
      model.signature.outputs.some((spec) => spec.name === name),
    ),
  };
  return {
    name: found.name,
    version: found.version,
    model,
    artifact,
    platform: `${engine.name}_${artifact.format}`,
    labels,
    example,
    ...(example === undefined ? { isUntested: true } : {}),
    notes: prepared.notes,
    loadedAtMs: deps.clock.wallMs(),
    defaultTimeoutMs: options.defaultTimeoutMs,
    ...(found.config === undefined ? {} : { config: found.config.config }),
  };
}

/** Of the files that a configuration names, of one beside the model, or of its metadata: the first that has any. */
async function findLabels(found: FoundModel, artifact: Artifact, log: Logger): Promise<Labels> {
  const file = await findSidecar(found, ['labels.json', 'labels.txt']);
  const { labels, misfit } = readLabels(
    artifact.signature,
    artifact.metadata,
    file && { path: file.path, text: new TextDecoder().decode(file.bytes) },
  );
  if (misfit !== undefined) log.warn({ model: found.name, version: found.version }, misfit);
  if (found.folder === undefined || found.config === undefined) return labels;
  return { ...labels, ...(await readConfiguredLabels(found.folder, found.config.config)) };
}
