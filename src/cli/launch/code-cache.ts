import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** What V8 compiled of scripts at earlier starts. Whoever reads runs it, so only this user may have written it. */
export interface CodeCache {
  /** Undefined: there is none that may be used. */
  read(key: string): Buffer | undefined;
  /** Never throws: who cannot write compiles again next time. */
  write(key: string, code: Buffer): void;
}

const DIGEST_BYTES = 32;
const MAX_BYTES = 64 * 2 ** 20;
/** Files of other versions, of nimify and of Node, stay until there are so many newer ones. */
const MOST_FILES = 12;
const SUFFIX = '.code';

/**
 * A file for each key in a folder. V8 checks that code is of its own version and flags, and hardly that it is whole: that
 * is done here, by a digest.
 */
export function createCodeCache(folder: string): CodeCache {
  const pathOf = (key: string) => join(folder, `${key}${SUFFIX}`);
  return {
    read(key) {
      try {
        const bytes = readOwn(pathOf(key));
        const code = bytes.subarray(DIGEST_BYTES);
        return bytes.subarray(0, DIGEST_BYTES).equals(digestOf(code)) ? code : undefined;
      } catch {
        return undefined;
      }
    },
    write(key, code) {
      const path = pathOf(key);
      const temporary = `${path}.${randomUUID()}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(temporary, Buffer.concat([digestOf(code), code]), { flag: 'wx', mode: 0o600 });
        // Whoever starts at the same time reads the old file or the new one, whole.
        renameSync(temporary, path);
        prune(folder);
      } catch {
        remove(temporary);
      }
    },
  };
}

/** @throws Error where it is not a file that this user alone can have written */
function readOwn(path: string): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    if (!isOwn(fstatSync(descriptor))) throw new Error('not ours');
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function isOwn(info: Stats): boolean {
  const writableByOthers = 0o022;
  const user = process.geteuid?.();
  return (
    info.isFile() &&
    info.size <= MAX_BYTES &&
    (user === undefined || (info.uid === user && (info.mode & writableByOthers) === 0))
  );
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It could not be made either.
  }
}

function digestOf(code: Buffer): Buffer {
  return createHash('sha256').update(code).digest();
}

function prune(folder: string): void {
  const files = readdirSync(folder)
    .filter((name) => name.includes(SUFFIX))
    .map((name) => join(folder, name));
  if (files.length <= MOST_FILES) return;
  const newestFirst = files
    .map((path) => ({ path, writtenAtMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.writtenAtMs - a.writtenAtMs);
  for (const { path } of newestFirst.slice(MOST_FILES)) rmSync(path, { force: true });
}
