import { dirname, isAbsolute, join } from 'node:path';
import { CONFIG_FILE, type ConfigSource } from './config-source.ts';
import type { Layer, resolveLayers } from './layer.ts';
import type { START_OPTIONS } from './options.ts';
import { BY_DEFAULT, type Origin } from './origin.ts';
import { type Problem, shown } from './problem.ts';
import type { FileSettings } from './read-file.ts';

/** A model file or folder, from the working folder, and the name to serve it under where it is to be another. */
export interface ModelPath {
  readonly path: string;
  readonly name?: string;
}

/** A model to serve, and what the file sets for it alone. */
export interface ChosenModel extends ModelPath {
  readonly origin: Origin;
  readonly layer: Layer;
}

export type Start = ReturnType<typeof resolveLayers<typeof START_OPTIONS>>;

export interface ModelSources {
  readonly paths: readonly ModelPath[];
  readonly start: Start;
  readonly file: FileSettings | undefined;
  readonly source: ConfigSource | undefined;
}

const NOTHING: Layer = new Map();
const HERE: ChosenModel = { path: '.', origin: BY_DEFAULT, layer: NOTHING };

/** The models to serve: of the command line, else of the environment, else of the file, else the working folder. */
export function chooseModels(sources: ModelSources, problems: Problem[]): readonly ChosenModel[] {
  return giveName(findSources(sources), sources.start, problems);
}

function findSources({ paths, start, file, source }: ModelSources): readonly ChosenModel[] {
  if (paths.length > 0) {
    return paths.map((path) => ({ ...path, origin: { from: 'argument' }, layer: NOTHING }));
  }
  const variable = start.values.models;
  if (variable !== undefined) {
    return [{ path: variable, origin: start.origins.get('models') ?? BY_DEFAULT, layer: NOTHING }];
  }
  if (source === undefined || file?.models === undefined || file.models.length === 0) return [HERE];
  const from = dirname(source.name);
  return file.models.map(({ path, name, line, layer }) => ({
    path: isAbsolute(path) ? path : join(from, path),
    ...(name === undefined ? {} : { name }),
    origin: { from: 'file', file: source.name, line },
    layer,
  }));
}

/** The name from outside the file, which can be meant for one model only. */
function giveName(models: readonly ChosenModel[], start: Start, problems: Problem[]): readonly ChosenModel[] {
  const name = start.values.modelName;
  if (name === undefined) return models;
  const where = sourceName(start.origins.get('modelName'));
  const [only] = models;
  if (only === undefined || models.length > 1) {
    const message = `${where} names one model, but ${models.length} are given; give each its name instead: name=path, or \`name\` in nimify.yaml`;
    problems.push({ where, message });
    return models;
  }
  if (where === 'NIM_SERVED_MODEL_NAME' && name.includes(',')) {
    const message = `${where}: expected one name, got ${shown(name)}; nimify serves a model under one name`;
    problems.push({ where, got: name, expected: 'one name', message });
  }
  return [{ ...only, name }];
}

/** The flag or variable that a value comes from. */
export function sourceName(origin: Origin | undefined): string {
  return origin?.from === 'env' || origin?.from === 'flag' ? origin.name : CONFIG_FILE;
}
