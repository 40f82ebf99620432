import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { FoundModel } from '../repository.ts';
import { SIDECAR_NAMES } from '../sidecars.ts';

/**
 * What weights outside of a model's file are called where their names do not begin as the model's. Whatever else lies
 * beside a lone model, such as the log of the server itself, is not the model's.
 */
const WEIGHTS = /\.(bin|data|onnx_data|pb|weights)$/i;

/** A folder of a version with more files than this is not a model's. */
const MAX_FILES = 10_000;
const MAX_DEPTH = 8;

export interface Fingerprint {
  /** Equal as long as no file of the model was written, replaced, added or removed. */
  readonly text: string;
  /** Wall-clock time of the last change, in milliseconds since 1970. */
  readonly changedAtMs: number;
}

/**
 * What the files of one version look like from outside: names, sizes, times. In a repository of Triton's layout those
 * of the version's folder and what lies beside the versions; else the model's file and what is named after it or, beside
 * a lone model, may belong to it by its name.
 */
export async function takeFingerprint(found: FoundModel): Promise<Fingerprint> {
  const seen: string[] = [];
  let changedAtMs = 0;

  function note(path: string, info: Stats): void {
    const { size, mtimeMs, ctimeMs, ino } = info;
    seen.push(`${path} ${size} ${mtimeMs} ${ctimeMs} ${ino}`);
    changedAtMs = Math.max(changedAtMs, mtimeMs, ctimeMs);
  }

  async function look(path: string, depth: number): Promise<void> {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || seen.length > MAX_FILES) return;
    if (!info.isDirectory()) return note(path, info);
    if (depth < 0) return;
    for (const name of await namesOf(path)) await look(join(path, name), depth - 1);
  }

  if (found.folder === undefined) {
    const folder = dirname(found.path);
    const stem = basename(found.path, extname(found.path));
    const isOurs = (name: string) =>
      name.startsWith(`${stem}.`) || (found.alone && (isSidecar(name) || WEIGHTS.test(name)));
    for (const name of (await namesOf(folder)).filter(isOurs)) await look(join(folder, name), -1);
    await look(found.path, -1);
  } else {
    const own = found.path.slice(found.folder.length).split(/[\\/]/)[1] ?? '';
    for (const name of await namesOf(found.folder)) {
      // Other versions are other models; the inputs of warm-up requests are the model's.
      if (name === own || name === 'warmup') await look(join(found.folder, name), MAX_DEPTH);
      else await look(join(found.folder, name), -1);
    }
  }
  return { text: seen.join('\n'), changedAtMs };
}

function isSidecar(name: string): boolean {
  return SIDECAR_NAMES.some((one) => one === name);
}

async function namesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => !name.startsWith('.')).sort();
}
