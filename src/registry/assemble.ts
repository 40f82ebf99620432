import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import { prepareModel } from '../engine/prepare.ts';
import type { Artifact } from '../model/artifact.ts';
import type { EngineOptions } from '../model/engine.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import type { ServedModel } from './contract.ts';
import { type Labels, readLabels } from './labels.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import type { FoundModel } from './repository.ts';
import { findSidecar, readExample } from './sidecars.ts';
import type { Configured } from './triton/configure.ts';

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
  const configured = await readConfiguration(found, whole, deps.log);
  const artifact = configured?.artifact ?? whole;
  const exampleFile = await findSidecar(found, ['example.json']);
  // Before anything is loaded: a file beside the model that does not fit leaves no session behind.
  const labels = { ...(await findLabels(found, artifact, deps.log)), ...configured?.labels };

  const prepared = await prepareModel(
    {
      name: found.name,
      version: found.version,
      artifact,
      engine,
      options: { ...configured?.engine, ...options.engine },
      ...(exampleFile === undefined ? {} : { example: readExample(artifact.signature, exampleFile) }),
      ...(configured?.maxWaiting === undefined ? {} : { maxWaiting: configured.maxWaiting }),
    },
    deps,
  );
  const withDeadline = createDeadline(deps, { defaultTimeoutMs: options.defaultTimeoutMs });
  const model = withDeadline(configured?.wrap(prepared.model) ?? prepared.model);
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
    notes: prepared.notes,
    loadedAtMs: deps.clock.wallMs(),
    defaultTimeoutMs: options.defaultTimeoutMs,
    ...(found.config === undefined ? {} : { config: found.config.config }),
  };
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
