import { chooseModels, type ModelPath, sourceName } from './choose-models.ts';
import { type ConfigSource, readConfigSource } from './config-source.ts';
import { type Layer, resolveLayers } from './layer.ts';
import { leavesOf } from './option.ts';
import {
  MODEL_OPTIONS,
  type ModelSettings,
  SERVER_OPTIONS,
  type ServerSettings,
  START_OPTIONS,
} from './options.ts';
import type { Origin } from './origin.ts';
import { configError, type Problem } from './problem.ts';
import { type Environment, findUnknownVariables, readEnv } from './read-env.ts';
import type { FileSettings } from './read-file.ts';

export interface ConfigSources {
  /** Working folder: `nimify.yaml` is looked for there. */
  readonly folder: string;
  readonly env: Environment;
  /** By the options' paths. */
  readonly flags: Layer;
  /** Models named on the command line, from the working folder: they replace those of the file. */
  readonly paths: readonly ModelPath[];
}

export interface ConfiguredModel extends ModelPath {
  readonly settings: ModelSettings;
}

/** What holds: every value checked, all of it frozen. */
export interface Config extends ServerSettings {
  /** The file that was read, as it was named; undefined where there is none. */
  readonly file: string | undefined;
  readonly models: readonly ConfiguredModel[];
  /** Settings of models that set nothing of their own. */
  readonly defaults: ModelSettings;
  /** By path: `server.httpPort`, `defaults.timeoutMs`, `models[0]`, `models[0].timeoutMs`. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What looks like a mistake and stops nothing. */
  readonly warnings: readonly string[];
}

/** Variables of nimify's that are no options. */
const OTHER_VARIABLES = ['NIMIFY_DEBUG', 'NIMIFY_DATA', 'NIMIFY_CHROMIUM'];

/**
 * Reads nimify.yaml, the environment and the flags, each stronger than the one before, whatever a file says of a
 * single model too.
 * @throws NimifyError CONFIG_INVALID with all that is wrong
 */
export async function loadConfig({ folder, env, flags, paths }: ConfigSources): Promise<Config> {
  const problems: Problem[] = [];
  const [ofServer, ofModels, ofStart] = [
    leavesOf(SERVER_OPTIONS),
    leavesOf(MODEL_OPTIONS),
    leavesOf(START_OPTIONS),
  ];
  const start = resolveLayers(START_OPTIONS, [flags, readEnv(ofStart, env, problems)]);
  const serverEnv = readEnv(ofServer, env, problems);
  const modelEnv = readEnv(ofModels, env, problems);
  const { config: asked } = start.values;
  const asker = sourceName(start.origins.get('config'));
  const source = await readConfigSource(folder, asked === undefined ? undefined : { name: asked, asker });
  const file = source && (await readSource(source, problems));

  const server = resolveLayers(SERVER_OPTIONS, [flags, serverEnv, ...(file ? [file.server] : [])]);
  const stronger = [flags, modelEnv];
  const weaker = file ? [file.defaults] : [];
  const defaults = resolveLayers(MODEL_OPTIONS, [...stronger, ...weaker]);
  const origins: Record<string, Origin> = { ...Object.fromEntries(server.origins) };
  note(origins, 'defaults', defaults.origins);

  const chosen = chooseModels({ paths, start, file, source }, problems);
  const models = chosen.map(({ origin, layer, ...model }, index) => {
    const { values, origins: own } = resolveLayers(MODEL_OPTIONS, [...stronger, layer, ...weaker]);
    origins[`models[${index}]`] = origin;
    note(origins, `models[${index}]`, own);
    return { ...model, settings: values };
  });

  if (problems.length > 0) throw configError(problems);
  const allLeaves = [...ofServer, ...ofModels, ...ofStart];
  return deepFreeze({
    ...server.values,
    file: source?.name,
    models,
    defaults: defaults.values,
    origins,
    warnings: findUnknownVariables(allLeaves, env, OTHER_VARIABLES),
  });
}

/** What reads a file is loaded only where there is one: a start without it pays nothing. */
async function readSource({ text, name }: ConfigSource, problems: Problem[]): Promise<FileSettings> {
  const { readFileSettings } = await import('./read-file.ts');
  return readFileSettings(text, name, problems);
}

function note(origins: Record<string, Origin>, where: string, own: ReadonlyMap<string, Origin>): void {
  for (const [path, origin] of own) origins[`${where}.${path}`] = origin;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
