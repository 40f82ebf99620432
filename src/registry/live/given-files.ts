import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import { isVersion } from '../triton/layout.ts';
import { isInnerPath } from '../triton/plan-files.ts';

/** A model's folder that a request brought along. */
export interface GivenFolder {
  /** Absolute; its last part is the model's name. */
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Writes the files of a request to load into a folder of their own, in the temporary folder of the system.
 * @throws NimifyError INVALID_INPUT where one of them would not lie in the folder, or no version has a file
 */
export async function writeGivenFiles(
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<GivenFolder> {
  for (const path of files.keys()) {
    if (isInnerPath(path)) continue;
    throw invalidInput(
      `file:${path}: expected the name of a file within the model's folder, such as 1/model.onnx; nothing outside is written`,
      { where: `file:${path}`, got: path },
    );
  }
  if (![...files.keys()].some((path) => path.includes('/') && isVersion(path.split('/', 1)[0]!))) {
    throw invalidInput('files: expected at least one file of a version, such as 1/model.onnx', {
      where: 'files',
    });
  }
  const root = await mkdtemp(join(tmpdir(), 'nimify-given-'));
  const remove = () => rm(root, { recursive: true, force: true });
  try {
    const folder = join(root, name);
    for (const [path, bytes] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
    return { folder, remove };
  } catch (cause) {
    await remove();
    throw invalidInput('files: they cannot be written as given; is one of them a folder of another?', {
      where: 'files',
      cause,
    });
  }
}
