import { stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { invalidInput } from '../errors/nimify-error.ts';
import type { ExternalFile, Problem } from './contract.ts';
import { LIMITS } from './limits.ts';
import { quoteName } from './quote-name.ts';

export interface ExternalData {
  readonly files: readonly ExternalFile[];
  readonly problems: readonly Problem[];
}

/**
 * Looks for the files that hold tensors outside the model file. They must lie in the model's folder, so that a
 * model cannot make the engine read other files of the machine; links in the folder are followed, since
 * download caches are made of them.
 */
export async function findExternalData(
  modelPath: string,
  neededBytes: ReadonlyMap<string, number>,
): Promise<ExternalData> {
  const files = new Map<string, ExternalFile>();
  const problems: Problem[] = [];
  if (neededBytes.size > LIMITS.externalFiles) {
    throw invalidInput(
      `the model has more than ${LIMITS.externalFiles} files of external data; it is not read`,
      {
        where: 'external_data',
      },
    );
  }
  for (const [location, needed] of neededBytes) {
    const path = resolveInside(dirname(modelPath), location);
    if (path === undefined) {
      if (problems.length < LIMITS.problems) problems.push(outsideFolder(location));
      continue;
    }
    const sizeBytes = await fileSize(path);
    files.set(path, { path, sizeBytes });
    if (problems.length >= LIMITS.problems) continue;
    if (sizeBytes === undefined) problems.push(missing(location));
    else if (sizeBytes < needed) problems.push(tooShort(location, sizeBytes, needed));
  }
  return { files: [...files.values()], problems };
}

function resolveInside(folder: string, location: string): string | undefined {
  if (location === '' || location.includes('\0') || isAbsolute(location)) return undefined;
  if (/^[a-z]:/i.test(location) || location.startsWith('\\')) return undefined;
  const path = resolve(folder, location);
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep) ? path : undefined;
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

function outsideFolder(location: string): Problem {
  return {
    severity: 'error',
    where: 'externalData',
    message: `the weights are said to be in ${quoteName(location)}, which is not a path inside the model's folder`,
    fix: "put the file beside the model and save the model again with onnx.save(model, path, save_as_external_data=True, location='weights.bin')",
  };
}

function missing(location: string): Problem {
  return {
    severity: 'error',
    where: 'externalData',
    message: `the file ${quoteName(location)} with weights of the model is missing`,
    fix: 'put it beside the model under that name; it was saved or published together with the model',
  };
}

function tooShort(location: string, sizeBytes: number, needed: number): Problem {
  return {
    severity: 'error',
    where: 'externalData',
    message: `the file ${quoteName(location)} has ${sizeBytes} bytes, but the model's weights need ${needed}`,
    fix: 'download or copy it again; if it is in Git-LFS, run `git lfs pull`',
  };
}
