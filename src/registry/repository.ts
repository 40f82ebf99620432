import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { BatchingChoice } from '../base/config/batching.ts';
import type { Objective } from '../base/config/objective.ts';
import type { Target, TuneChoice } from '../base/config/options.ts';
import type { PolicyChoices } from '../base/config/policies.ts';
import type { SloSettings } from '../base/config/service-level.ts';
import { NimifyError } from '../base/errors/nimify-error.ts';
import type { ConfigText } from '../base/triton/read-model-config.ts';
import type { ExecSource } from '../engine/exec/engine.ts';
import type { EngineOptions } from '../model/engine.ts';
import { splitFunction, toProgram } from './program-source.ts';

/** What holds for the models of one source and not for others. */
export interface SourceSettings {
  readonly engine?: Partial<EngineOptions>;
  /** Deadline of a request that sets none, in milliseconds. */
  readonly defaultTimeoutMs?: number;
  /** How requests that wait are run together. */
  readonly batching?: BatchingChoice;
  /** The latency that answers are to keep to; goes before `defaultTimeoutMs`. */
  readonly objective?: Objective;
  /** What matters most where something is chosen. */
  readonly target?: Target;
  /** How it is found out what suits the machine. */
  readonly tune?: TuneChoice;
  /** What requests are to keep to. */
  readonly slo?: SloSettings;
  /** Must it be ready for the server to be? Default: it must. */
  readonly required?: boolean;
  /** What stands between requests and an engine that fails; what is left out is as by default. */
  readonly policies?: Partial<PolicyChoices>;
}

/**
 * A model file or a folder of them; a Python file, `model.py` or `model.py:predict`; a program that speaks the engine
 * protocol. Perhaps with the name to serve it under, and settings of its own.
 */
export type ModelSource = string | ({ readonly path: string; readonly name?: string } & SourceSettings);

/** A file that will be served as `name`, version `version`. */
export interface FoundModel extends SourceSettings {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** What to run, where the file is a program and no model. */
  readonly program?: ExecSource;
  /** The only model of its folder: `labels.json` and `example.json` there are meant for it. */
  readonly alone: boolean;
  /** Of its model in a repository of Triton's layout, above those of the versions. */
  readonly folder?: string;
  /** Its configuration, where there is one in the folder or in the request to load it. */
  readonly config?: ConfigText;
}

export interface FoundModels {
  readonly models: readonly FoundModel[];
  /** What was passed over, each with the reason, for the log. */
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

const DEFAULT_VERSION = '1';
const MODEL_EXTENSIONS = ['.onnx', '.ort'];
/** Folders below the one given: `<name>/model.onnx` and `<name>/<version>/model.onnx`. */
const MAX_DEPTH = 2;

/**
 * Finds the model files behind the given paths and names them. A file `digits.onnx` is served as `digits`;
 * a file called `model.onnx` as its folder, and where that folder is a number, as that version of the folder
 * above. Programs are served only where they are named, never out of a folder. The name `digits` may be forced: `{ path, name: 'digits' }`.
 * @throws NimifyError NOT_FOUND (no such path, no model there), CONFIG_INVALID (two files under one name)
 */
export async function findModels(sources: readonly ModelSource[]): Promise<FoundModels> {
  const models: FoundModel[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const source of sources) {
    const { path: given, name, ...settings } = typeof source === 'string' ? { path: source } : source;
    const { path, functionName } = await splitFunction(given);
    const absolute = resolve(path);
    const info = await stat(absolute).catch(() => undefined);
    if (info === undefined) {
      throw new NimifyError('NOT_FOUND', `${path}: there is no such file or folder; check the path`, {
        details: { where: path },
      });
    }
    const found = info.isDirectory()
      ? await scanFolder(absolute, 0, skipped)
      : [await describeFile(absolute, functionName)];
    if (found.length === 0) {
      throw new NimifyError(
        'NOT_FOUND',
        `${path}: no model in this folder; expected .onnx or .ort files, directly or as <name>/model.onnx`,
        { details: { where: path } },
      );
    }
    const named = name === undefined ? found : renameFound(found, name, path);
    models.push(...named.map((model) => ({ ...model, ...settings })));
  }
  refuseClashes(models);
  return { models, skipped };
}

async function scanFolder(
  folder: string,
  depth: number,
  skipped: { path: string; reason: string }[],
): Promise<FoundModel[]> {
  const entries = await listFolder(folder, depth, skipped);
  const files: string[] = [];
  const found: FoundModel[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (target === undefined) {
      if (isModelName(entry.name)) skipped.push({ path, reason: 'the link leads nowhere' });
      continue;
    }
    if (target.isDirectory()) {
      if (depth < MAX_DEPTH) found.push(...(await scanFolder(path, depth + 1, skipped)));
    } else if (isModelName(entry.name)) {
      files.push(path);
    }
  }
  const kept = files.filter((path) => {
    const twin = path.replace(/\.ort$/i, '.onnx');
    const hasTwin = twin !== path && files.includes(twin);
    if (hasTwin) skipped.push({ path, reason: `${basename(twin)} beside it is served under the same name` });
    return !hasTwin;
  });
  return [...kept.map((path) => nameFile(path, kept.length === 1)), ...found];
}

async function describeFile(path: string, functionName: string | undefined): Promise<FoundModel> {
  const program = await toProgram({ path, ...(functionName === undefined ? {} : { functionName }) });
  const siblings = await readdir(dirname(path)).catch(() => [] as string[]);
  const stems = new Set(siblings.filter(isModelName).map(stemOf));
  if (program === undefined) return nameFile(path, stems.size <= 1);
  return { ...nameFile(path, stems.size === 0), program };
}

function nameFile(path: string, alone: boolean): FoundModel {
  const stem = stemOf(path);
  if (stem.toLowerCase() !== 'model') return { name: stem, version: DEFAULT_VERSION, path, alone };
  const folder = dirname(path);
  const parent = basename(folder);
  if (/^[1-9]\d*$/.test(parent)) {
    const name = basename(dirname(folder));
    if (name !== '') return { name, version: parent, path, alone };
  }
  return { name: parent === '' ? stem : parent, version: DEFAULT_VERSION, path, alone };
}

function isModelName(name: string): boolean {
  return MODEL_EXTENSIONS.includes(extname(name).toLowerCase());
}

function stemOf(path: string): string {
  return basename(path, extname(path));
}

/** By name. @throws NimifyError PERMISSION_DENIED; a folder within that may not be read is passed over */
async function listFolder(
  folder: string,
  depth: number,
  skipped: { path: string; reason: string }[],
): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    const reason = 'this user may not read the folder';
    if (depth === 0) {
      throw new NimifyError('PERMISSION_DENIED', `${folder}: ${reason}; change its permissions`, {
        details: { where: folder },
        cause,
      });
    }
    skipped.push({ path: folder, reason });
    return [];
  }
}

/** @throws NimifyError CONFIG_INVALID where the name is for several models */
export function renameFound(found: readonly FoundModel[], name: string, path: string): readonly FoundModel[] {
  if (name === '') {
    throw new NimifyError(
      'CONFIG_INVALID',
      `${path}: the model's name is empty; give it at least one character`,
    );
  }
  const names = new Set(found.map((model) => model.name));
  if (names.size > 1) {
    throw new NimifyError(
      'CONFIG_INVALID',
      `${path}: one name (${name}) for ${names.size} models (${[...names].join(', ')}); name a single file instead`,
    );
  }
  return found.map((model) => ({ ...model, name }));
}

/** @throws NimifyError CONFIG_INVALID where two files would be served under one name and version */
export function refuseClashes(models: readonly FoundModel[]): void {
  const byName = new Map<string, FoundModel>();
  for (const model of models) {
    const key = JSON.stringify([model.name, model.version]);
    const other = byName.get(key);
    if (other !== undefined && originOf(other) !== originOf(model)) {
      throw new NimifyError(
        'CONFIG_INVALID',
        `two files would be served as '${model.name}' version ${model.version}: ${originOf(other)} and ${originOf(model)}; ` +
          'leave one out, or give one a name of its own: name=path',
      );
    }
    if (other !== undefined) {
      throw new NimifyError('CONFIG_INVALID', `${originOf(model)} is given twice; give each model once`);
    }
    byName.set(key, model);
  }
}

function originOf({ path, program }: FoundModel): string {
  return program?.kind === 'python' && program.functionName !== undefined
    ? `${path}:${program.functionName}`
    : path;
}
