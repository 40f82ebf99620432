import type { Logger } from '../base/telemetry/log.ts';
import type { Clock } from '../base/util/clock.ts';
import { prepareModel } from '../engine/prepare.ts';
import type { EngineOptions } from '../model/engine.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import type { ServedModel } from './contract.ts';
import { readLabels } from './labels.ts';
import { type OpenedSource, openSource } from './open-source.ts';
import type { FoundModel } from './repository.ts';
import { findSidecar, readExample } from './sidecars.ts';

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
  { artifact, engine }: OpenedSource,
  deps: AssembleDeps,
  options: AssembleOptions,
): Promise<ServedModel> {
  const exampleFile = await findSidecar(found, ['example.json']);
  const labelsFile = await findSidecar(found, ['labels.json', 'labels.txt']);
  // Before anything is loaded: a file beside the model that does not fit leaves no session behind.
  const { labels, misfit } = readLabels(
    artifact.signature,
    artifact.metadata,
    labelsFile && { path: labelsFile.path, text: new TextDecoder().decode(labelsFile.bytes) },
  );

  if (misfit !== undefined) deps.log.warn({ model: found.name, version: found.version }, misfit);

  const prepared = await prepareModel(
    {
      name: found.name,
      version: found.version,
      artifact,
      engine,
      options: options.engine,
      ...(exampleFile === undefined ? {} : { example: readExample(artifact.signature, exampleFile) }),
    },
    deps,
  );
  const withDeadline = createDeadline(deps, { defaultTimeoutMs: options.defaultTimeoutMs });

  return {
    name: found.name,
    version: found.version,
    model: withDeadline(prepared.model),
    artifact,
    platform: `${engine.name}_${artifact.format}`,
    labels,
    example: prepared.example,
    ...(prepared.example === undefined ? { isUntested: true } : {}),
    notes: prepared.notes,
    loadedAtMs: deps.clock.wallMs(),
    defaultTimeoutMs: options.defaultTimeoutMs,
  };
}
