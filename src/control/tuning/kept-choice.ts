import { BATCHING } from '../../base/config/batching.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import { isCount, isPositive, isRecord } from '../../base/util/json-value.ts';
import {
  createMeasurementCache,
  type MeasurementCache,
  type TuningKey,
} from '../../engine/host/tuning-cache.ts';
import type { Gain } from './compare.ts';
import type { Batching, Plan, Setting } from './contract.ts';

/** What a search at load chose, to be taken from here by later loads. */
export interface KeptChoice {
  readonly setting: Setting;
  readonly gives: Gain;
  /** The way that the model would have been served otherwise; undefined: that is what was chosen. */
  readonly instead?: { readonly setting: Setting; readonly gives: Gain };
}

export type ChoiceCache = MeasurementCache<KeptChoice>;

/** Choices in a folder of files, each checked as input is when it is read. */
export function createChoiceCache(folder: string, log: Logger): ChoiceCache {
  return createMeasurementCache(folder, log, toChoice);
}

const HOSTS: readonly unknown[] = ['inline', 'thread', 'native', 'process'] satisfies Plan['host'][];

function toChoice(read: unknown, { cores }: TuningKey): KeptChoice | undefined {
  const way = toWay(read, cores);
  if (way === undefined || !isRecord(read)) return undefined;
  if (read.instead === undefined) return way;
  const instead = toWay(read.instead, cores);
  return instead && { ...way, instead };
}

function toWay(read: unknown, cores: number): Pick<KeptChoice, 'setting' | 'gives'> | undefined {
  if (!isRecord(read) || !isRecord(read.setting) || !isRecord(read.gives)) return undefined;
  const plan = toPlan(read.setting.plan, cores);
  const batching = toBatching(read.setting.batching);
  const { throughputPerS, latencyMs } = read.gives;
  if (plan === undefined || batching === undefined) return undefined;
  if (!isPositive(throughputPerS) || !isPositive(latencyMs)) return undefined;
  return { setting: { plan, batching }, gives: { throughputPerS, latencyMs } };
}

function toPlan(read: unknown, cores: number): Plan | undefined {
  if (!isRecord(read) || !HOSTS.includes(read.host)) return undefined;
  const { instances, intraOpThreads } = read;
  if (!isCount(instances) || !isCount(intraOpThreads) || instances * intraOpThreads > cores) return undefined;
  return { host: read.host as Plan['host'], instances, intraOpThreads };
}

function toBatching(read: unknown): Batching | undefined {
  const choice = BATCHING.fromValue(read);
  if (choice === undefined || typeof choice === 'string') return choice;
  const { maxBatchSize, maxDelayMs } = choice;
  return maxBatchSize === undefined || maxDelayMs === undefined ? undefined : { maxBatchSize, maxDelayMs };
}
