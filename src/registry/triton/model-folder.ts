import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { invalidInput, NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import { type ConfigText, readModelConfig } from '../../base/triton/read-model-config.ts';
import type { FoundModel } from '../repository.ts';
import { backendOfFile, CONFIG_NAME, isVersion, namesIn, OURS } from './layout.ts';
import { refusalOf } from './plan.ts';
import { lacksBackend } from './plan-backend.ts';
import { isInnerPath } from './plan-files.ts';
import { planModel } from './plan-model.ts';
import { chooseVersions, missingVersions } from './plan-versions.ts';

const MAX_CONFIG_BYTES = 4 * 2 ** 20;
const MODEL_NAMES = ['model.onnx', 'model.ort'];

/** A model, or a version of one, that lies in a repository and cannot be served as it is. */
export interface Unservable {
  /** Undefined: no version of it. */
  readonly version: string | undefined;
  readonly error: NimifyError;
  /** It wants a backend that nimify lacks: no fault of the model's. */
  readonly lacksBackend: boolean;
}

/** What the folder of one model holds. */
export interface ModelFolder {
  readonly name: string;
  /** The versions that its policy picks, in ascending order. */
  readonly found: readonly FoundModel[];
  readonly unservable: readonly Unservable[];
  /** Its configuration, where it has one that can be read. */
  readonly config: ConfigText | undefined;
}

/**
 * Reads the folder of one model: `<version>/model.onnx`, with or without a `config.pbtxt` beside the versions.
 * @param override configuration to hold instead of the folder's own
 */
export async function readModelFolder(folder: string, override?: ConfigText): Promise<ModelFolder> {
  const name = basename(folder);
  let config: ConfigText | undefined;
  try {
    config = override ?? (await readConfig(folder));
    const plan = config && planModel({ name, text: config, signature: undefined, facts: { providers: [] } });
    const available = (await namesIn(folder)).filter(isVersion);
    const chosen = chooseVersions(config?.config.version_policy, available);
    const error = plan?.lacksBackend ? refusalOf(plan) : undefined;
    if (error !== undefined) {
      const versions = chosen.length === 0 ? [undefined] : chosen;
      return {
        name,
        config,
        found: [],
        unservable: versions.map((version) => ({ version, error, lacksBackend: true })),
      };
    }
    const found: FoundModel[] = [];
    const unservable: Unservable[] = missingVersions(config?.config.version_policy, available).map(
      (version) => ({ version, error: missing(folder, version), lacksBackend: false }),
    );
    if (available.length === 0)
      unservable.push({ version: undefined, error: empty(folder), lacksBackend: false });
    for (const version of chosen) {
      const place = await findModelFile(join(folder, version), config?.config.default_model_filename);
      if ('path' in place) {
        const { path } = place;
        found.push({ name, version, path, alone: true, folder, ...(config === undefined ? {} : { config }) });
      } else unservable.push({ version, ...place });
    }
    return { name, found, unservable, config };
  } catch (thrown) {
    const error = toNimifyError(thrown);
    return { name, found: [], unservable: [{ version: undefined, error, lacksBackend: false }], config };
  }
}

async function readConfig(folder: string): Promise<ConfigText | undefined> {
  const path = join(folder, CONFIG_NAME);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return undefined;
  if (!info.isFile()) throw invalidInput(`${path}: expected a file`, { where: path });
  if (info.size > MAX_CONFIG_BYTES) {
    const message = `${path}: expected at most ${MAX_CONFIG_BYTES} bytes, got ${info.size}`;
    throw invalidInput(message, { where: path, got: info.size });
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new NimifyError('PERMISSION_DENIED', `${path}: this user may not read the file`, { cause });
  });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new NimifyError('INVALID_INPUT', `${path}: expected text in UTF-8; save it in that encoding`, {
      cause,
    });
  }
  return readModelConfig(text, path);
}

type Place = { readonly path: string } | Omit<Unservable, 'version'>;

/** A model of several files is a folder called as the file would be, with a `model.onnx` inside. */
async function findModelFile(folder: string, wanted: string | undefined): Promise<Place> {
  if (wanted !== undefined && wanted !== '' && !isInnerPath(wanted)) {
    // The plan says so too, with the place; here nothing outside may as much as be looked at.
    return refusal(`default_model_filename: '${wanted}' is no file within the folder of a version`);
  }
  const candidates = wanted ? [wanted] : MODEL_NAMES;
  for (const candidate of candidates) {
    const path = join(folder, candidate);
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile()) return { path };
    if (!info?.isDirectory()) continue;
    const inner = join(path, 'model.onnx');
    if ((await stat(inner).catch(() => undefined))?.isFile()) return { path: inner };
  }
  const files = await namesIn(folder);
  const other = wanted ? undefined : files.find((file) => backendOfFile(file) !== undefined);
  if (other !== undefined && backendOfFile(other) !== OURS) {
    const says = `${join(folder, other)}: ${lacksBackend(backendOfFile(other)!)}`;
    return {
      error: new NimifyError('UNSUPPORTED', says, { details: { where: folder } }),
      lacksBackend: true,
    };
  }
  const held = files.length === 0 ? 'nothing' : files.slice(0, 5).join(', ');
  const hint = other === undefined ? '' : `; name it in config.pbtxt: default_model_filename: "${other}"`;
  return refusal(
    `${folder}: expected ${candidates.join(' or ')}, the folder holds ${held}${hint}`,
    'NOT_FOUND',
  );
}

function refusal(
  message: string,
  code: 'INVALID_INPUT' | 'NOT_FOUND' = 'INVALID_INPUT',
): Omit<Unservable, 'version'> {
  return { error: new NimifyError(code, message), lacksBackend: false };
}

function missing(folder: string, version: string): NimifyError {
  const message = `${folder}: version_policy asks for version ${version}, and there is no such folder`;
  return new NimifyError('NOT_FOUND', message, { details: { where: folder } });
}

function empty(folder: string): NimifyError {
  const message = `${folder}: no version; expected folders called 1, 2, ..., each with a model.onnx`;
  return new NimifyError('NOT_FOUND', message, { details: { where: folder } });
}
