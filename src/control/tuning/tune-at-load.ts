import type { Objective } from '../../base/config/objective.ts';
import type { Target } from '../../base/config/options.ts';
import { toNimifyError } from '../../base/errors/nimify-error.ts';
import { type Logger, SILENT } from '../../base/telemetry/log.ts';
import { userCacheFolder } from '../../base/util/cache-folder.ts';
import type { Clock } from '../../base/util/clock.ts';
import { thisMachine } from '../../engine/host/this-machine.ts';
import type { Machine } from '../../engine/host/thread-plan.ts';
import { keyHere, type TuningKey } from '../../engine/host/tuning-cache.ts';
import { findPackage } from '../../engine/onnxruntime/package.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { openSource } from '../../registry/open-source.ts';
import type { FoundModel } from '../../registry/repository.ts';
import { rateSettings } from './choose.ts';
import { type Comparison, compareInTurns } from './compare.ts';
import type { Batching, Setting } from './contract.ts';
import { type ChoiceCache, createChoiceCache, type KeptChoice } from './kept-choice.ts';
import { lookAt, toEngineOptions } from './open-subject.ts';
import { batchingText, planText } from './plans.ts';
import { type FoundTuning, tuneFound } from './tune-found.ts';

/** A model that is about to be loaded, and what holds for it. */
export interface LoadToTune {
  readonly found: FoundModel;
  readonly engine: EngineOptions;
  readonly target: Target;
  readonly objective?: Objective;
}

/** What to load the model with. */
export interface TunedLoad {
  readonly engine: Partial<EngineOptions>;
  readonly batching: Batching;
}

export interface LoadTunerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the cores and memory that the system grants this process. */
  readonly machine?: Machine;
  /** What earlier loads chose. Default: in the user's cache folder. */
  readonly choices?: ChoiceCache;
  /** Time for the search of one model; its checks come on top. Default 20 s. */
  readonly budgetNs?: number;
}

export type LoadTuner = (load: LoadToTune) => Promise<TunedLoad | undefined>;

const BUDGET_NS = 20e9;
/** Of the time of the search, how much one look of the last comparison gets. */
const LOOK_SHARE = 1 / 20;
const SHORTEST_LOOK_NS = 200e6;

/**
 * Searches, as `nimify tune` does, before a model is loaded, for one model at a time; what was chosen is kept by the
 * model's content and machine. Undefined: nothing was searched, or the machine was too busy to tell; the log says why.
 * Never throws: what cannot be loaded is told by the load that follows.
 */
export function createLoadTuner(deps: LoadTunerDeps): LoadTuner {
  const { log } = deps;
  const machine = deps.machine ?? thisMachine();
  const choices = deps.choices ?? createChoiceCache(userCacheFolder(), log);
  let last: Promise<unknown> = Promise.resolve();

  async function tune(load: LoadToTune): Promise<TunedLoad | undefined> {
    const { found, engine } = load;
    const said = { model: found.name, version: found.version };
    try {
      const key = await keyOf(load, machine, deps);
      const kept = await choices.read(key);
      const choice = kept ?? (await choose(load, { ...deps, machine }));
      if (typeof choice === 'string') {
        log.info(said, `sizes of batches and windows were not searched: ${choice}`);
        return undefined;
      }
      if (kept === undefined) await choices.write(key, choice);
      log.info(
        said,
        `${kept === undefined ? 'searched' : 'searched at an earlier start'}: ${choiceText(choice)}`,
      );
      const { plan, batching } = choice.setting;
      return { engine: toEngineOptions(plan, engine), batching };
    } catch (thrown) {
      const err = toNimifyError(thrown);
      log.warn(
        { ...said, err },
        'the search for the best way to serve the model failed; it is served by rule',
      );
      return undefined;
    }
  }

  return (load) => {
    // Two searches at once would only see each other.
    const tuned = last.then(() => tune(load));
    last = tuned;
    return tuned;
  };
}

/** The choice, or why there is none. @throws NimifyError where the model cannot be loaded */
async function choose(
  { found, engine, target, objective }: LoadToTune,
  deps: LoadTunerDeps & { readonly machine: Machine },
): Promise<KeptChoice | string> {
  const { clock, log, machine, budgetNs = BUDGET_NS } = deps;
  if (found.program !== undefined) return 'what a program does cannot be told by its file; use nimify tune';
  // What a load has to say, the one that follows says.
  const quiet = { clock, log: SILENT };
  const facts = await lookAt(found, quiet, { engine });
  const { loopOperator } = facts.artifact;
  if (loopOperator !== undefined) return `the time of ${loopOperator} depends on the values of a request`;
  const { configured } = facts;
  if (configured.batching?.maxDelayMs !== undefined || configured.batching?.preferredRows !== undefined)
    return 'its config.pbtxt says how long requests wait';
  log.info(
    { model: found.name, version: found.version, budgetMs: budgetNs / 1e6 },
    'searching for the best way to serve the model; what is found is kept for later starts',
  );
  const instances = engine.instances ?? configured.instances;
  const intraOpThreads = engine.intraOpThreads ?? configured.intraOpThreads;
  const tuning = await tuneFound(
    {
      ...{ found, machine, engine, target, objective, facts, budgetNs },
      ...(instances === undefined ? {} : { instances }),
      ...(intraOpThreads === undefined ? {} : { intraOpThreads }),
    },
    quiet,
  );
  const { chosen, byRule, subject } = tuning;
  if (chosen === undefined)
    return 'no way to serve it keeps to the objective; nimify tune tells what comes closest';
  const rule: Setting = { plan: byRule, batching: 'auto' };
  const ruled = bestOfRule(tuning, objective?.latencyMs);
  if (isSame(rule, chosen.setting)) {
    const { latencyMs, best } = chosen;
    return { setting: rule, gives: { latencyMs, throughputPerS: best.throughputPerS } };
  }
  const { load } = chosen.best;
  const compared = await compareInTurns(
    { setting: rule, load: ruled?.best.load ?? load },
    { setting: chosen.setting, load },
    {
      subject,
      target,
      clock,
      percentile: objective?.percentile ?? 99,
      lookNs: Math.max(SHORTEST_LOOK_NS, budgetNs * LOOK_SHARE),
    },
  );
  return compared.isSteady
    ? toChoice(rule, chosen.setting, compared)
    : 'the machine was busy with other work';
}

function bestOfRule({ points, byRule }: FoundTuning, limitMs = Number.POSITIVE_INFINITY) {
  return rateSettings(points, limitMs).find(({ setting }) =>
    isSame(setting, { plan: byRule, batching: 'auto' }),
  );
}

function toChoice(rule: Setting, other: Setting, { isBetter, first, other: gives }: Comparison): KeptChoice {
  if (!isBetter) return { setting: rule, gives: first };
  return { setting: other, gives, instead: { setting: rule, gives: first } };
}

function isSame(one: Setting, other: Setting): boolean {
  return settingText(one) === settingText(other);
}

function settingText({ plan, batching }: Setting): string {
  return `${planText(plan)}; batching ${batchingText(batching)}`;
}

function choiceText({ setting, gives, instead }: KeptChoice): string {
  const text = (of: Pick<KeptChoice, 'setting' | 'gives'>) =>
    `${settingText(of.setting)} gives ${of.gives.throughputPerS.toPrecision(3)} answers/s and ${of.gives.latencyMs.toPrecision(3)} ms alone`;
  if (instead === undefined)
    return `${text({ setting, gives })}; nothing is better than that, the way by rule`;
  const percent = Math.round((gives.throughputPerS / instead.gives.throughputPerS - 1) * 100);
  const gain = `${percent < 0 ? `${-percent} % fewer` : `${percent} % more`} answers`;
  return `${text({ setting, gives })}, ${gain} than by rule, where ${text(instead)}`;
}

/** What the choice hangs on; another of any of it is searched anew. */
async function keyOf(
  { found, engine, target, objective }: LoadToTune,
  { cores }: Machine,
  deps: LoadTunerDeps,
): Promise<TuningKey> {
  const { artifact, close } = await openSource(found, deps, engine);
  await close();
  const { python: _python, tune: _tune, exampleInputs: _inputs, ...held } = engine;
  const sorted = Object.entries(held).sort(([a], [b]) => (a < b ? -1 : 1));
  const engineVersion = `onnxruntime-node ${findPackage().version}`;
  return keyHere({
    ...{ contentHash: artifact.contentHash, cores, engineVersion },
    options: ['search', target, objective ?? null, sorted, found.config?.text ?? null],
  });
}
