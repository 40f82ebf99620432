import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { Logger } from '../../base/telemetry/log.ts';
import { isCount, isPositive, isRecord } from '../../base/util/json-value.ts';
import { VERSION } from '../../base/util/version.ts';
import type { MeasuredPlan } from './measure-plan.ts';

/** What a measurement holds for: another model, machine or version is measured anew. */
export interface TuningKey {
  readonly contentHash: string;
  /** Of the sessions, where they are not the usual ones: providers and the like. */
  readonly options: readonly unknown[];
  readonly cores: number;
  /** Of the processor. */
  readonly cpu: string;
  /** Of nimify and of the engine. */
  readonly versions: readonly string[];
}

/** What holds for this processor and this version of nimify. */
export function keyHere(of: {
  readonly contentHash: string;
  readonly options: readonly unknown[];
  readonly cores: number;
  readonly engineVersion: string;
}): TuningKey {
  const { contentHash, options, cores, engineVersion } = of;
  const cpu = cpus()[0]?.model ?? 'unknown';
  return { contentHash, options, cores, cpu, versions: [`nimify ${VERSION}`, engineVersion] };
}

/** What earlier starts measured. */
export interface MeasurementCache<Measured, Key = TuningKey> {
  /** Undefined where there is none, or none that can be understood. */
  read(key: Key): Promise<Measured | undefined>;
  /** Never throws: who cannot write measures again next time. */
  write(key: Key, measured: Measured): Promise<void>;
}

export interface CacheOptions<Key> {
  /** Folder within that of the cache. Default: that of tunings. */
  readonly part?: string;
  /** Part of the key: of those that have it in common, the last that was written is kept. Default: all of it. */
  readonly nameOf?: (key: Key) => unknown;
}

/** Of instances and threads. */
export type TuningCache = MeasurementCache<readonly MeasuredPlan[]>;

/** What is written is far smaller. */
const MAX_BYTES = 64 * 1024;
const MAX_PLANS = 64;

export function createTuningCache(folder: string, log: Logger): TuningCache {
  return createMeasurementCache(folder, log, toMeasured);
}

/**
 * A file for each key. Anybody may have written there, so what is read is checked as input is, and a file that is broken
 * or of another key counts as none.
 * @param toValue undefined: what was read is none
 */
export function createMeasurementCache<Measured, Key = TuningKey>(
  folder: string,
  log: Logger,
  toValue: (measured: unknown, key: Key) => Measured | undefined,
  { part = 'tuning', nameOf = (key) => key }: CacheOptions<Key> = {},
): MeasurementCache<Measured, Key> {
  const pathOf = (key: Key) => {
    const name = createHash('sha256')
      .update(JSON.stringify(nameOf(key)))
      .digest('hex')
      .slice(0, 32);
    return join(folder, part, `${name}.json`);
  };
  return {
    async read(key) {
      const path = pathOf(key);
      try {
        const info = await stat(path);
        if (!info.isFile() || info.size > MAX_BYTES) return undefined;
        const read: unknown = JSON.parse(await readFile(path, 'utf8'));
        if (!isRecord(read) || JSON.stringify(read.key) !== JSON.stringify(key)) return undefined;
        return toValue(read.measured, key);
      } catch {
        return undefined;
      }
    },
    async write(key, measured) {
      const path = pathOf(key);
      const temporary = `${path}.${randomUUID()}`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(temporary, `${JSON.stringify({ key, measured })}\n`, { flag: 'wx', mode: 0o600 });
        // Whoever reads at the same time gets the old file or the new one, whole.
        await rename(temporary, path);
      } catch (err) {
        log.debug({ path, err }, 'the measurement could not be kept; the next start makes it again');
        await rm(temporary, { force: true }).catch(() => undefined);
      }
    },
  };
}

function toMeasured(measured: unknown, key: TuningKey): readonly MeasuredPlan[] | undefined {
  if (!Array.isArray(measured) || measured.length > MAX_PLANS) return undefined;
  return measured.every((one) => isMeasured(one, key.cores)) ? measured : undefined;
}

function isMeasured(value: unknown, cores: number): value is MeasuredPlan {
  if (!isRecord(value)) return false;
  const { instances, intraOpThreads, latencyNs, throughputPerS } = value;
  return (
    isCount(instances) &&
    isCount(intraOpThreads) &&
    instances * intraOpThreads <= cores &&
    isPositive(latencyNs) &&
    isPositive(throughputPerS)
  );
}
