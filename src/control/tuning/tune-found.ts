import type { Objective } from '../../base/config/objective.ts';
import type { Target } from '../../base/config/options.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Machine } from '../../engine/host/thread-plan.ts';
import type { FoundModel } from '../../registry/repository.ts';
import type { Plan, SessionChoice, Subject } from './contract.ts';
import {
  createSubject,
  type HeldOptions,
  lookAt,
  type SubjectDeps,
  type SubjectFacts,
} from './open-subject.ts';
import { type PlanChoices, planByRule, plansToTry, planText } from './plans.ts';
import { type Tuning, tuneModel } from './tune-model.ts';

/** A host other than `auto` is where all plans run. */
export interface TuneFoundInput extends HeldOptions {
  readonly found: FoundModel;
  readonly machine: Machine;
  readonly target: Target;
  readonly objective: Objective | undefined;
  readonly budgetNs: number;
  /** What somebody has chosen. */
  readonly instances?: number;
  readonly intraOpThreads?: number;
  readonly batchSizes?: readonly number[];
  /** Options of sessions to try on what the search would choose. Default: none. */
  readonly variants?: readonly SessionChoice[];
  /** Known already. Default: it is looked for. */
  readonly facts?: SubjectFacts;
}

export interface FoundTuning extends Tuning {
  /** How the model would be served without the choice. */
  readonly byRule: Plan;
  /** What was searched. */
  readonly subject: Subject;
}

/**
 * Searches for the way to serve a model that was found. A `config.pbtxt` counts: its `max_batch_size` bounds batches, what
 * it says of instances and threads is tried beside the rest, and the remainder holds as when the model is served.
 * @throws NimifyError as `search`; CONFIG_INVALID where sizes are asked for that the configuration does not allow
 */
export async function tuneFound(input: TuneFoundInput, deps: SubjectDeps): Promise<FoundTuning> {
  const { found, engine, batching = 'auto', target, objective, batchSizes } = input;
  const facts = input.facts ?? (await lookAt(found, deps, { engine, batching }));
  const { configured, host, instanceBytes } = facts;
  const mostRows = configured.batching?.maxBatchRows;
  if (typeof mostRows === 'number' && batchSizes?.some((rows) => rows > mostRows)) throw tooLarge(mostRows);
  const limitMs = objective?.latencyMs;
  const choices: PlanChoices = {
    ...{ ...input.machine, instanceBytes, host },
    ...(input.instances === undefined ? {} : { instances: input.instances }),
    ...(input.intraOpThreads === undefined ? {} : { intraOpThreads: input.intraOpThreads }),
  };
  const byRule = planByRule(choices, configured);
  const others = plansToTry(choices).filter(
    (plan) => planText(plan) !== planText(byRule) && (engine.host === 'auto' || plan.host === host),
  );
  const subject = createSubject(found, deps, {
    ...{ engine, batching, target },
    ...(limitMs === undefined ? {} : { objectiveMs: limitMs }),
  });
  const tuning = await tuneModel(
    {
      subject,
      plans: [byRule, ...others],
      ...(batchSizes === undefined ? {} : { batchSizes }),
      ...(typeof mostRows === 'number' ? { mostRows } : {}),
      limitMs: limitMs ?? Number.POSITIVE_INFINITY,
      percentile: objective?.percentile ?? 99,
      variants: input.variants ?? [],
      ...{ budgetNs: input.budgetNs, target },
    },
    deps,
  );
  return { ...tuning, byRule, subject };
}

function tooLarge(mostRows: number): NimifyError {
  return new NimifyError(
    'CONFIG_INVALID',
    `The model's config.pbtxt says max_batch_size: ${mostRows}, so larger batches cannot be searched; ask for smaller ` +
      'ones, or raise it there',
    { details: { where: 'batchSizes' } },
  );
}
