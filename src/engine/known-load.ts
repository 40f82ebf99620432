import { createHash } from 'node:crypto';
import type { Logger } from '../base/telemetry/log.ts';
import { isBytesData, type Tensor } from '../base/tensor/tensor.ts';
import { isCount, isPositive, isRecord } from '../base/util/json-value.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Engine, EngineOptions, UsualRun } from '../model/engine.ts';
import type { BatchDecision } from './decide-batch-axis.ts';
import { thisMachine } from './host/this-machine.ts';
import {
  createMeasurementCache,
  keyHere,
  type MeasurementCache,
  type TuningKey,
} from './host/tuning-cache.ts';
import type { RunSample } from './warm-up.ts';

/**
 * What the measurements of a load gave, which need not be made again on the same machine: how long the usual request
 * takes, whether rows may be joined, and what runs of several rows take. That the model answers is found out each time.
 */
export interface KnownLoad {
  readonly usualRun?: UsualRun;
  readonly batch: BatchDecision;
  /** Absent: they were not steady, and are to be measured again. */
  readonly costs?: readonly RunSample[];
}

export type LoadCache = MeasurementCache<KnownLoad>;

export function createLoadCache(folder: string, log: Logger): LoadCache {
  return createMeasurementCache(folder, log, toKnownLoad, { part: 'loads' });
}

/** Undefined: nothing is to be kept, because nothing is to be measured or the engine may differ the next time. */
export function loadKey(
  { contentHash }: Artifact,
  engine: Engine,
  options: EngineOptions,
  pads: boolean,
): TuningKey | undefined {
  const { exampleInputs, ...others } = options;
  if (engine.version === undefined || (options.tune ?? 'off') === 'off') return undefined;
  return keyHere({
    contentHash,
    options: [
      'load',
      pads,
      Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1)),
      exampleInputs === undefined ? null : digestOf(exampleInputs),
    ],
    cores: thisMachine().cores,
    engineVersion: engine.version(),
  });
}

function digestOf(tensors: readonly Tensor[]): string {
  const hash = createHash('sha256');
  for (const { name, datatype, shape, data } of tensors) {
    hash.update(`${JSON.stringify([name, datatype, shape])}\n`);
    if (isBytesData(data)) hash.update(data.bytes).update(data.offsets);
    else hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

/** Runs of one size that took longer than the fastest by more say more of what else the machine did. */
const STEADY_WITHIN = 2;

/** What is worth keeping of a load: of its costs those of which two runs of a size say about the same. */
export function toKeep({ usualRun, batch, costs = [] }: KnownLoad): KnownLoad {
  const steady = steadyCosts(costs);
  return {
    ...(usualRun === undefined ? {} : { usualRun }),
    batch,
    ...(steady.length === 0 && costs.length > 0 ? {} : { costs: steady }),
  };
}

/** Of each size up to the first that was not steady: whoever reads on extrapolates. */
function steadyCosts(costs: readonly RunSample[]): readonly RunSample[] {
  const kept: RunSample[] = [];
  for (const rows of new Set(costs.map((one) => one.rows))) {
    const ofSize = costs.filter((one) => one.rows === rows);
    const fastestNs = Math.min(...ofSize.map(({ ns }) => ns));
    const near = ofSize.filter(({ ns }) => ns <= STEADY_WITHIN * fastestNs);
    if (near.length < 2) break;
    kept.push(...near);
  }
  return kept;
}

/** Runs of more rows are not measured. */
const MOST_SAMPLES = 64;
const MOST_ROWS = 2 ** 20;

function toKnownLoad(kept: unknown): KnownLoad | undefined {
  if (!isRecord(kept) || !isRecord(kept.batch)) return undefined;
  const { batch, costs = [], usualRun } = kept;
  if (!Array.isArray(costs)) return undefined;
  const { axis, reason, paddedRows } = batch;
  const isDecision =
    (axis === 0 || axis === 'none') &&
    typeof reason === 'string' &&
    (paddedRows === undefined || isCount(paddedRows));
  const areCosts =
    costs.length <= MOST_SAMPLES &&
    costs.every((one) => isRecord(one) && isCount(one.rows) && one.rows <= MOST_ROWS && isPositive(one.ns));
  const isRun =
    usualRun === undefined ||
    (isRecord(usualRun) &&
      isPositive(usualRun.ns) &&
      isPositive(usualRun.sizeBytes) &&
      typeof usualRun.memoryBytes === 'number' &&
      usualRun.memoryBytes >= 0);
  return isDecision && areCosts && isRun ? (kept as unknown as KnownLoad) : undefined;
}
