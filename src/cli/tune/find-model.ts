import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { Config } from '../../base/config/load-config.ts';
import type { ModelSettings } from '../../base/config/options.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { takeInventory } from '../../registry/inventory.ts';
import type { FoundModel } from '../../registry/repository.ts';
import { byNameAndVersion } from '../../registry/versions.ts';
import { toModelPath } from '../serve/model-argument.ts';

export interface TunedModel {
  /** The newest version that would be served. */
  readonly found: FoundModel;
  /** As an entry of nimify.yaml names the model: the folder of one in a repository, so that later versions have it, too. */
  readonly path: string;
}

/**
 * The model to tune: that of a file, the only one of a folder or repository, or the one of this name there.
 * @throws NimifyError where there is none or more than one
 */
export async function findModel(argument: string, wanted?: string): Promise<TunedModel> {
  const { path, name } = toModelPath(argument);
  const { models } = await takeInventory([name === undefined ? path : { path, name }]);
  const names = models.map((model) => model.name);
  const chosen = wanted === undefined ? models : models.filter((model) => model.name === wanted);
  const [model] = chosen;
  if (model === undefined) {
    const says = `${path}: no model is called '${wanted}'; there are ${names.join(', ')}`;
    throw new NimifyError('MODEL_NOT_FOUND', says, { details: { where: '--model', got: wanted ?? '' } });
  }
  if (chosen.length > 1) {
    const says = `${path} holds ${names.length} models (${names.join(', ')}); choose one with --model`;
    throw new NimifyError('CONFIG_INVALID', says, { details: { where: '--model' } });
  }
  const found = [...model.found].sort(byNameAndVersion).at(-1);
  if (found === undefined) throw model.unservable[0]!.error;
  const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
  return { found, path: found.folder ?? (isFolder ? found.path : path) };
}

/** What the configuration says of this model, or of a folder around it, or of all. */
export function settingsOf({ path }: TunedModel, { file, models, defaults }: Config): ModelSettings {
  const listed = file === undefined ? [] : models;
  const wanted = resolve(path);
  const around = listed.filter((model) => wanted === resolve(model.path) || isInside(wanted, model.path));
  const nearest = around.sort((a, b) => resolve(b.path).length - resolve(a.path).length)[0];
  return nearest?.settings ?? defaults;
}

export function isInside(path: string, folder: string): boolean {
  return resolve(path).startsWith(`${resolve(folder)}${sep}`);
}
