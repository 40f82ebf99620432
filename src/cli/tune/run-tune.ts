import { resolve } from 'node:path';
import type { Config } from '../../base/config/load-config.ts';
import type { ModelSettings } from '../../base/config/options.ts';
import { createPinoLogger } from '../../base/telemetry/pino-log.ts';
import { systemClock } from '../../base/util/clock.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { SessionChoice } from '../../control/tuning/contract.ts';
import { createSubject, lookAt } from '../../control/tuning/open-subject.ts';
import { plansToTry } from '../../control/tuning/plans.ts';
import { type Tuning, tuneModel } from '../../control/tuning/tune-model.ts';
import { thisMachine } from '../../engine/host/this-machine.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { findOnly } from '../../registry/load.ts';
import { readConfig } from '../read-config.ts';
import { toModelPath } from '../serve/model-argument.ts';
import { styleFor } from '../style.ts';
import { withProgress } from '../with-progress.ts';
import { renderTuning, tuningFacts } from './render-tuning.ts';
import type { TuneFlags, TuneTask } from './task.ts';
import { writeChoice } from './write-choice.ts';

/** Searches, prints, and writes the choice; gives the exit code. */
export async function runTune(path: string, flags: TuneFlags): Promise<number> {
  const settings = settingsFor(path, await readConfig([], new Map()));
  const objective = flags.objective ?? settings.objective;
  const target = flags.target ?? settings.target;
  const task: TuneTask = { path, machine: thisMachine(), objective, target };
  const tuning = await withProgress('searching', stayingAlive(searchSettings(task, settings, flags)));
  const written = tuning.chosen && !flags.dryRun ? await writeChoice(task, tuning.chosen, flags) : undefined;
  if (flags.json) {
    const facts = { ...tuningFacts(task, tuning), written: written?.file ?? null };
    process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
  } else process.stdout.write(renderTuning(task, tuning, written, styleFor(process.stdout)));
  return tuning.chosen === undefined ? 1 : 0;
}

/** What is worth a try beside the usual: keeping memory, and leaving out what rewrites layouts for this processor. */
const SESSION_VARIANTS: readonly SessionChoice[] = [{ memoryArena: true }, { graphOptimization: 'extended' }];

async function searchSettings(
  { path, machine, objective, target }: TuneTask,
  settings: ModelSettings,
  flags: TuneFlags,
): Promise<Tuning> {
  const { path: file, name } = toModelPath(path);
  const found = await findOnly(file, name);
  const deps = { clock: systemClock, log: createPinoLogger({ level: 'error' }) };
  const engine = engineOf(settings, flags);
  const { host, instanceBytes } = await lookAt(found, deps, engine);
  const { instances, threads: intraOpThreads, batchSizes } = flags;
  const limitMs = objective?.latencyMs;
  return tuneModel(
    {
      subject: createSubject(found, deps, {
        ...{ engine, target },
        ...(limitMs === undefined ? {} : { objectiveMs: limitMs }),
      }),
      plans: plansToTry({
        ...{ ...machine, instanceBytes, host },
        ...(instances === undefined ? {} : { instances }),
        ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
      }),
      ...(batchSizes === undefined ? {} : { batchSizes }),
      limitMs: limitMs ?? Number.POSITIVE_INFINITY,
      percentile: objective?.percentile ?? 99,
      variants: found.program === undefined ? SESSION_VARIANTS : [],
      budgetNs: flags.budget * 1e6,
      target,
    },
    deps,
  );
}

/** What the configuration says of this model, or of all. */
function settingsFor(path: string, { file, models, defaults }: Config): ModelSettings {
  const wanted = resolve(toModelPath(path).path);
  const listed = file === undefined ? [] : models;
  return listed.find((model) => resolve(model.path) === wanted)?.settings ?? defaults;
}

/** What is searched for is not kept: an earlier search may have written it. */
function engineOf({ engine }: ModelSettings, { python }: TuneFlags): EngineOptions {
  const { instances: _instances, intraOpThreads: _threads, ...kept } = withoutUnset(engine);
  const { memoryArena: _arena, graphOptimization: _graph, ...others } = kept;
  return { ...others, ...(python === undefined ? {} : { python }) };
}

/** Timers of the clock keep no process alive, and a search waits for nothing else at times. */
async function stayingAlive<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => undefined, 60_000);
  try {
    return await work;
  } finally {
    clearInterval(alive);
  }
}
