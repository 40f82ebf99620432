import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export const CONFIG_NAME = 'config.pbtxt';

/** Triton's name of the backend whose models are served. */
export const OURS = 'onnxruntime';

/** Files that Triton's other backends load by default, for folders without a configuration that names the backend. */
const BACKEND_OF_FILE: Readonly<Record<string, string>> = {
  'model.plan': 'tensorrt',
  'model.pt': 'pytorch',
  'model.pt2': 'pytorch',
  'model.graphdef': 'tensorflow',
  'model.savedmodel': 'tensorflow',
  'model.py': 'python',
  'model.xml': 'openvino',
  'model.dali': 'dali',
};

/** The backend that loads a file of this name, where that can be told. */
export function backendOfFile(name: string): string | undefined {
  if (Object.hasOwn(BACKEND_OF_FILE, name)) return BACKEND_OF_FILE[name];
  return isModelFile(name) ? OURS : undefined;
}

/** Numbers that do not begin with 0, as Triton has them; other folders of a model are no versions. */
export function isVersion(name: string): boolean {
  return /^[1-9]\d{0,18}$/.test(name);
}

/**
 * The folders of the models, where `path` is a repository of Triton's layout or one model of such; undefined where it
 * is none. A plain folder of models has files of models in it, or in the folders in it.
 */
export async function modelFolders(path: string): Promise<readonly string[] | undefined> {
  const names = await namesIn(path);
  if (names.length === 0 || names.some(isModelFile)) return undefined;
  if (await isModelFolder(path)) return [path];
  const folders: string[] = [];
  let isPlain = false;
  let isSure = false;
  for (const name of names) {
    const folder = join(path, name);
    const inner = await namesIn(folder);
    isSure ||= inner.includes(CONFIG_NAME);
    isPlain ||= inner.some(isModelFile);
    if (await isModelFolder(folder)) folders.push(folder);
  }
  return folders.length > 0 && (isSure || !isPlain) ? folders : undefined;
}

function isModelFile(name: string): boolean {
  return /\.(onnx|ort)$/i.test(name);
}

/** Has it a `config.pbtxt`, or a version with a file that some backend of Triton's loads? */
async function isModelFolder(folder: string): Promise<boolean> {
  const names = await namesIn(folder);
  if (names.includes(CONFIG_NAME)) return true;
  for (const version of names.filter(isVersion)) {
    const files = await namesIn(join(folder, version));
    if (files.some((file) => backendOfFile(file) !== undefined)) return true;
  }
  return false;
}

/** Empty where it is no folder, or none that may be read. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => !name.startsWith('.')).sort();
}
