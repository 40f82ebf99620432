import type { ModelSettings } from '../../base/config/options.ts';
import { createPinoLogger } from '../../base/telemetry/pino-log.ts';
import { systemClock } from '../../base/util/clock.ts';
import { withoutUnset } from '../../base/util/without-unset.ts';
import type { SessionChoice } from '../../control/tuning/contract.ts';
import { tuneFound } from '../../control/tuning/tune-found.ts';
import { thisMachine } from '../../engine/host/this-machine.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { readConfig } from '../read-config.ts';
import { styleFor } from '../style.ts';
import { withProgress } from '../with-progress.ts';
import { findModel, settingsOf } from './find-model.ts';
import { renderTuning, tuningFacts } from './render-tuning.ts';
import type { TuneFlags, TuneTask } from './task.ts';
import { writeChoice } from './write-choice.ts';

/** What is worth a try beside the usual: keeping memory, and leaving out what rewrites layouts for this processor. */
const SESSION_VARIANTS: readonly SessionChoice[] = [{ memoryArena: true }, { graphOptimization: 'extended' }];

/** Searches, prints, and writes the choice; gives the exit code. */
export async function runTune(path: string, flags: TuneFlags): Promise<number> {
  const model = await findModel(path, flags.model);
  const settings = settingsOf(model, await readConfig([], new Map()));
  const objective = flags.objective ?? settings.objective;
  const target = flags.target ?? settings.target;
  const task: TuneTask = { path, model, machine: thisMachine(), objective, target };
  const { instances, threads: intraOpThreads, batchSizes } = flags;
  const deps = { clock: systemClock, log: createPinoLogger({ level: 'error' }) };
  const searching = tuneFound(
    {
      ...{ found: model.found, machine: task.machine, target, objective },
      ...{ engine: engineOf(settings, flags), batching: settings.batching },
      variants: model.found.program === undefined ? SESSION_VARIANTS : [],
      budgetNs: flags.budget * 1e6,
      ...withoutUnset({ instances, intraOpThreads, batchSizes }),
    },
    deps,
  );
  const tuning = await withProgress('searching', stayingAlive(searching));
  const written = tuning.chosen && !flags.dryRun ? await writeChoice(task, tuning.chosen, flags) : undefined;
  if (flags.json) {
    const facts = { ...tuningFacts(task, tuning), written: written?.file ?? null };
    process.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
  } else process.stdout.write(renderTuning(task, tuning, written, styleFor(process.stdout)));
  return tuning.chosen === undefined ? 1 : 0;
}

/** What is searched for is not kept: an earlier search may have written it. Processes are: they are for safety. */
function engineOf({ engine }: ModelSettings, { python }: TuneFlags): EngineOptions {
  const { host, instances: _instances, intraOpThreads: _threads, ...kept } = withoutUnset(engine);
  const { memoryArena: _arena, graphOptimization: _graph, ...others } = kept;
  return { ...others, host: host === 'process' ? host : 'auto', ...(python === undefined ? {} : { python }) };
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
