import { stat } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { ConfigText } from '../base/triton/read-model-config.ts';
import { type FoundModel, findModels, type ModelSource, refuseClashes, renameFound } from './repository.ts';
import { modelFolders, namesIn } from './triton/layout.ts';
import type { ModelFolder, Unservable } from './triton/model-folder.ts';

/** A model that lies in what is to be served. */
export interface StockedModel {
  readonly name: string;
  /** Its versions that are to be served. */
  readonly found: readonly FoundModel[];
  /** What of it cannot be, each with the reason. */
  readonly unservable: readonly Unservable[];
}

export interface Inventory {
  /** By name. */
  readonly models: readonly StockedModel[];
  /** Files that were passed over, each with the reason, for the log. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export interface InventoryOptions {
  /** Folders without a model are no mistake: some may come. */
  readonly mayBeEmpty?: boolean;
  /** Configuration to hold instead of the one in the folder, by model. */
  readonly overrides?: ReadonlyMap<string, ConfigText>;
}

/**
 * Looks over what is to be served: repositories of Triton's layout, plain folders, files and programs. A fault of one
 * model in a repository stands by that model; the others are there. A model that is named by itself goes by what is said
 * there, and not by what is said of a folder around it that is named, too.
 * @throws NimifyError NOT_FOUND (no such path, no model there), CONFIG_INVALID (two files under one name)
 */
export async function takeInventory(
  sources: readonly ModelSource[],
  options: InventoryOptions = {},
): Promise<Inventory> {
  const models = new Map<string, StockedModel>();
  const skipped: { readonly path: string; readonly reason: string }[] = [];

  function put({ name, found, unservable }: StockedModel): void {
    const before = models.get(name);
    models.set(name, {
      name,
      found: [...(before?.found ?? []), ...found],
      unservable: [...(before?.unservable ?? []), ...unservable],
    });
  }

  const given = sources.map((source) => resolve(typeof source === 'string' ? source : source.path));
  for (const source of sources) {
    const { path, name, ...settings } = typeof source === 'string' ? { path: source } : source;
    const named = given.filter((other) => isBelow(other, resolve(path)));
    const isLeft = (one: string) => !named.some((other) => one === other || isBelow(one, other));
    const folders = (await modelFolders(resolve(path)))?.filter(isLeft);
    if (folders?.length === 0) continue;
    if (folders !== undefined) {
      // Loaded here and not above: who has no such repository does not pay for its reader.
      const { readModelFolder } = await import('./triton/model-folder.ts');
      const read: ModelFolder[] = [];
      for (const folder of folders) {
        read.push(await readModelFolder(folder, options.overrides?.get(basename(folder))));
      }
      for (const model of name === undefined ? read : [renameOnly(read, name, path)]) {
        const found = model.found.filter((one) => isLeft(one.path));
        put({ ...model, found: found.map((one) => ({ ...one, ...settings })) });
      }
      continue;
    }
    if (options.mayBeEmpty && (await isEmptyFolder(path))) continue;
    const plain = await findModels([source]);
    skipped.push(...plain.skipped);
    for (const model of plain.models) {
      if (isLeft(model.path)) put({ name: model.name, found: [model], unservable: [] });
    }
  }
  refuseClashes([...models.values()].flatMap(({ found }) => found));
  return { models: [...models.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), skipped };
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function renameOnly(read: readonly ModelFolder[], name: string, path: string): StockedModel {
  const found = renameFound(
    read.flatMap((model) => model.found),
    name,
    path,
  );
  if (read.length > 1) {
    throw new NimifyError(
      'CONFIG_INVALID',
      `${path}: one name (${name}) for ${read.length} models; name a single one instead`,
    );
  }
  return { name, found, unservable: read.flatMap((model) => model.unservable) };
}

async function isEmptyFolder(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info?.isDirectory() === true && (await namesIn(path)).length === 0;
}
