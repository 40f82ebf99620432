import { basename } from 'node:path';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { Signature, TensorSpec } from '../../model/signature.ts';
import type { DeclaredOptions } from '../../policy/declared/declared.ts';
import type { FoundModel } from '../repository.ts';
import { findProviders } from './find-providers.ts';
import { entryText, type ModelPlan, refuseUnservable } from './plan.ts';
import { planModel } from './plan-model.ts';

/**
 * What becomes of the configuration of a model that was found; undefined where it has none. What is ignored goes to
 * the log.
 * @throws NimifyError UNSUPPORTED where it asks for what cannot be served
 */
export async function planFound(
  found: FoundModel,
  { signature }: Artifact,
  log: Logger,
): Promise<ModelPlan | undefined> {
  const { config: text, folder, name, version } = found;
  if (text === undefined) return undefined;
  const facts = { providers: await findProviders(text.config) };
  const plan = planModel({ name: folder === undefined ? name : basename(folder), text, signature, facts });
  refuseUnservable(plan);
  for (const entry of plan.entries.filter(({ verdict }) => verdict === 'ignored')) {
    log.info({ model: name, version, field: entry.field }, `ignored: ${entryText(plan.source, entry)}`);
  }
  return plan;
}

/** The artifact with what a configuration fixes of its shapes, so that it is tried as it will be used. */
export function narrowArtifact(artifact: Artifact, declared: DeclaredOptions | undefined): Artifact {
  if (declared === undefined) return artifact;
  const inputs = artifact.signature.inputs.map((spec) => narrow(spec, declared));
  const { batchAxis } = declared.signature;
  const signature: Signature = { ...artifact.signature, inputs, batchAxis };
  const isUnbatched = batchAxis === 'none' && artifact.signature.batchAxis === 0;
  const { fixedRows, ...rest } = artifact;
  const countsRows = declared.maxRows !== undefined;
  return {
    ...rest,
    signature,
    ...(fixedRows === undefined || !countsRows ? {} : { fixedRows }),
    ...(isUnbatched ? { batchAxisReason: 'max_batch_size is 0 in the configuration' } : {}),
  };
}

function narrow(spec: TensorSpec, { signature, inputs }: DeclaredOptions): TensorSpec {
  const outside = signature.inputs.find(({ name }) => name === spec.name);
  const reshape = Object.hasOwn(inputs, spec.name) ? inputs[spec.name] : undefined;
  const declaredShape = reshape?.inside ?? outside?.shape ?? spec.shape;
  // What the file fixes stays: rows are open only to requests.
  const shape = declaredShape.map((dimension, axis) =>
    dimension === -1 ? (spec.shape[axis] ?? -1) : dimension,
  );
  const { anyRank: _, ...known } = spec;
  const named = shape.map((dimension, axis) => (dimension === -1 ? spec.dimensionNames[axis] : undefined));
  return outside?.anyRank === true ? spec : { ...known, shape, dimensionNames: named };
}
