import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hashModelFile, type ModelFile } from '../base/onnx/model-file.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { createMeasurementCache, type MeasurementCache } from '../engine/host/tuning-cache.ts';

/** Smaller models are hashed in less time than it takes to look up what they gave. */
const LEAST_BYTES = 2 ** 20;
/** A file may be written twice within one tick of its file system's clock, so a hash of a new file is not kept. */
const SETTLED_AFTER_MS = 2000;

/** What of a file changes with its content, by its path: time of change cannot be set, as that of writing can. */
export interface FilesKey {
  readonly files: readonly (readonly [path: string, ...rest: string[]])[];
}

export type HashCache = MeasurementCache<string, FilesKey>;

/** Hashes of files that have not been touched since. */
export function createHashCache(folder: string, log: Logger): HashCache {
  return createMeasurementCache(folder, log, toHash, {
    part: 'hashes',
    // One for each path: a model that is replaced leaves nothing behind.
    nameOf: ({ files }) => files.map(([path]) => path),
  });
}

/**
 * `hashModelFile`, which for a model of 90 MB takes as long as all else that a start does, or what it gave at an earlier
 * start for the same, untouched files.
 * @throws NimifyError as `hashModelFile`
 */
export async function hashUnlessKnown(
  file: ModelFile,
  cache: HashCache,
  { now = Date.now, hash = hashModelFile } = {},
): Promise<string> {
  if (totalBytes(file) < LEAST_BYTES) return hash(file);
  const before = await look(file);
  if (before === undefined) return hash(file);
  const known = await cache.read(before.key);
  if (known !== undefined) return known;
  const made = await hash(file);
  const after = await look(file);
  const isSame = JSON.stringify(after?.key) === JSON.stringify(before.key);
  if (isSame && now() - before.changedAtMs > SETTLED_AFTER_MS) await cache.write(before.key, made);
  return made;
}

function totalBytes({ sizeBytes, externalData }: ModelFile): number {
  return externalData.reduce((sum, one) => sum + (one.sizeBytes ?? 0), sizeBytes);
}

/** Undefined where one of the files cannot be looked at. */
async function look(
  file: ModelFile,
): Promise<{ readonly key: FilesKey; readonly changedAtMs: number } | undefined> {
  const paths = [file.path, ...file.externalData.map(({ path }) => path).sort()];
  try {
    const infos = await Promise.all(paths.map((path) => stat(path, { bigint: true })));
    const files = paths.map((path, index) => [path, ...marksOf(infos[index]!)] as const);
    return {
      key: { files },
      changedAtMs: Math.max(...infos.map(({ mtimeMs, ctimeMs }) => later(mtimeMs, ctimeMs))),
    };
  } catch {
    return undefined;
  }
}

function marksOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string[] {
  return [dev, ino, size, mtimeNs, ctimeNs].map(String);
}

function later(a: bigint, b: bigint): number {
  return Number(a > b ? a : b);
}

function toHash(kept: unknown): string | undefined {
  return typeof kept === 'string' && /^[0-9a-f]{64}$/.test(kept) ? kept : undefined;
}
