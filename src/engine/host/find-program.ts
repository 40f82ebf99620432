import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * Where a program is: a path as it is, made absolute; a bare name looked up in PATH. Undefined where there is no
 * file that may be executed.
 */
export async function findProgram(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const isPath = isAbsolute(name) || /[/\\]/.test(name);
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = isPath ? [resolve(name)] : folders.map((folder) => join(folder, name));
  const suffixes = process.platform === 'win32' ? ['', '.exe', '.cmd'] : [''];
  for (const path of paths.flatMap((base) => suffixes.map((suffix) => base + suffix))) {
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
