import { readModelFile } from '../base/onnx/model-file.ts';
import { userCacheFolder } from '../base/util/cache-folder.ts';
import { openExec } from '../engine/exec/engine.ts';
import type { ProcessDeps } from '../engine/host/process-child.ts';
import { createOnnxRuntimeEngine } from '../engine/onnxruntime/engine.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Engine, EngineOptions } from '../model/engine.ts';
import { toArtifact } from './artifact.ts';
import { createHashCache, hashUnlessKnown } from './known-hash.ts';
import type { FoundModel } from './repository.ts';

/** What can be served, and the engine that loads it. */
export interface OpenedSource {
  readonly artifact: Artifact;
  readonly engine: Engine;
  /** Lets go of what was opened, where it is not going to be loaded. */
  close(): Promise<void>;
}

/** Picks the engine by what was found: a model file is read, a program is asked. @throws NimifyError */
export async function openSource(
  found: FoundModel,
  deps: ProcessDeps,
  options: EngineOptions,
): Promise<OpenedSource> {
  if (found.program !== undefined) return openExec(found.program, options, deps);
  const hashes = createHashCache(userCacheFolder(), deps.log);
  const artifact = await toArtifact(await readModelFile(found.path), (file) => hashUnlessKnown(file, hashes));
  return { artifact, engine: createOnnxRuntimeEngine(deps), async close() {} };
}
