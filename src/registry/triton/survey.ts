import { basename, resolve } from 'node:path';
import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { readModelFile } from '../../base/onnx/model-file.ts';
import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { ConfigText } from '../../base/triton/read-model-config.ts';
import type { Signature } from '../../model/signature.ts';
import { toArtifact } from '../artifact.ts';
import { findProviders } from './find-providers.ts';
import { modelFolders } from './layout.ts';
import { readModelFolder } from './model-folder.ts';
import { type ModelPlan, refuseUnservable } from './plan.ts';
import { planModel } from './plan-model.ts';

/** What would become of one version of a model in a repository. */
export interface SurveyedVersion {
  readonly model: string;
  /** Undefined: the model has none that could be looked at. */
  readonly version: string | undefined;
  /** The model's file, where there is one. */
  readonly path: string | undefined;
  /** Field by field; undefined where there is no configuration, or none that can be read. */
  readonly plan: ModelPlan | undefined;
  /** As it is written; undefined where there is none, or none that can be read. */
  readonly config: ModelConfig | undefined;
  /** What clients would see. */
  readonly signature: Signature | undefined;
  /** Why it would not be served. */
  readonly error: NimifyError | undefined;
}

/**
 * Looks at a model repository of Triton's layout, or one model of it, without loading a weight.
 * @throws NimifyError NOT_FOUND where there is none
 */
export async function surveyRepository(path: string): Promise<readonly SurveyedVersion[]> {
  const folders = await modelFolders(resolve(path));
  if (folders === undefined) {
    throw new NimifyError(
      'NOT_FOUND',
      `${path}: no model repository; expected folders <model>/<version>/model.onnx, with or without <model>/config.pbtxt`,
      { details: { where: path } },
    );
  }
  const surveyed: SurveyedVersion[] = [];
  for (const folder of folders) surveyed.push(...(await surveyFolder(folder)));
  return surveyed;
}

async function surveyFolder(folder: string): Promise<readonly SurveyedVersion[]> {
  const { name: model, found, unservable, config: text } = await readModelFolder(folder);
  const config = text?.config;
  const surveyed: SurveyedVersion[] = [];
  for (const { version, path } of found) {
    surveyed.push({ model, version, path, config, ...(await surveyVersion(folder, path, text)) });
  }
  for (const { version, error } of unservable) {
    const plan = text && (await planOf(folder, text, undefined));
    surveyed.push({ model, version, path: undefined, config, plan, signature: undefined, error });
  }
  return surveyed;
}

async function surveyVersion(
  folder: string,
  path: string,
  config: ConfigText | undefined,
): Promise<Pick<SurveyedVersion, 'plan' | 'signature' | 'error'>> {
  let plan: ModelPlan | undefined;
  try {
    const { signature } = await toArtifact(await readModelFile(path));
    plan = config && (await planOf(folder, config, signature));
    if (plan !== undefined) refuseUnservable(plan);
    return { plan, signature: plan?.settings.declared?.signature ?? signature, error: undefined };
  } catch (thrown) {
    return { plan, signature: undefined, error: toNimifyError(thrown) };
  }
}

async function planOf(
  folder: string,
  text: ConfigText,
  signature: Signature | undefined,
): Promise<ModelPlan> {
  const facts = { providers: await findProviders(text.config) };
  return planModel({ name: basename(folder), text, signature, facts });
}
