import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { type EntrySettings, editModelEntry } from '../../base/config/edit-file.ts';
import { objectiveText } from '../../base/config/objective.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { RatedSetting } from '../../control/tuning/choose.ts';
import { isInside } from './find-model.ts';
import type { TuneFlags, TuneTask } from './task.ts';

export interface WrittenChoice {
  readonly file: string;
  /** Was the model listed there before? */
  readonly wasListed: boolean;
}

/**
 * Writes a choice into the configuration file, which may not be there yet.
 * @throws NimifyError CONFIG_INVALID where it is none of nimify's, NOT_FOUND or PERMISSION_DENIED
 */
export async function writeChoice(
  task: TuneTask,
  { setting }: RatedSetting,
  flags: Pick<TuneFlags, 'output' | 'objective' | 'target'>,
): Promise<WrittenChoice> {
  const { output: file } = flags;
  const model = task.model.path;
  const folder = dirname(file);
  const { text, wasListed } = await editModelEntry(await readIfThere(file), file, {
    path: fromFolder(folder, model),
    isSame: (path) => resolve(folder, path) === resolve(model),
    isAround: (path) => isInside(model, resolve(folder, path)),
    settings: toEntry(setting, flags),
  });
  await replace(file, text);
  return { file, wasListed };
}

/** On the main thread by `auto` only, which has no instances to choose; on the native host so that others may do without. */
function toEntry(
  { plan, batching }: RatedSetting['setting'],
  { objective, target }: Pick<TuneFlags, 'objective' | 'target'>,
): EntrySettings {
  const { host, instances, intraOpThreads, session } = plan;
  const threads =
    host === 'inline'
      ? { host: 'auto', intraOpThreads }
      : { host: host === 'native' ? 'auto' : host, instances, intraOpThreads };
  return {
    engine: { ...threads, ...withoutUnset(session ?? {}) },
    batching,
    ...(objective === undefined ? {} : { objective: objectiveText(objective) }),
    ...(target === undefined ? {} : { target }),
  };
}

function fromFolder(folder: string, path: string): string {
  const short = relative(folder, path);
  return isAbsolute(short) || short.startsWith('..') ? resolve(path) : short.split(sep).join('/');
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw unwritable(file, cause);
  }
}

/** Whole or not at all: what was there is somebody's work. */
async function replace(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw unwritable(file, cause);
  }
}

function unwritable(file: string, cause: unknown): NimifyError {
  const code = (cause as NodeJS.ErrnoException).code;
  const isForbidden = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
  return new NimifyError(
    isForbidden ? 'PERMISSION_DENIED' : 'NOT_FOUND',
    `${file} cannot be written (${String(code)}); name another file with --output, or look at the choice with --dry-run`,
    { details: { where: file }, cause },
  );
}
