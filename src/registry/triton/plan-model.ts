import type { ConfigText } from '../../base/triton/read-model-config.ts';
import type { Signature } from '../../model/signature.ts';
import { createPlanNotes, type ModelPlan } from './plan.ts';
import { planBackend } from './plan-backend.ts';
import { planFiles } from './plan-files.ts';
import { type PlanFacts, planResources } from './plan-resources.ts';
import { planScheduling } from './plan-scheduling.ts';
import { planTensors } from './plan-tensors.ts';
import { planVersions } from './plan-versions.ts';

export interface PlanInput {
  /** Of the model's folder. */
  readonly name: string;
  readonly text: ConfigText;
  /** Of the model file; undefined where there is none that can be read: then tensors are not compared. */
  readonly signature: Signature | undefined;
  readonly facts: PlanFacts;
}

/** Says of every field of a configuration what becomes of it, and what the stack is to be told. */
export function planModel({ name, text, signature, facts }: PlanInput): ModelPlan {
  const notes = createPlanNotes(text);
  const hasBackend = planBackend(notes, name);
  planVersions(notes);
  planFiles(notes);
  const declared = signature === undefined ? undefined : planTensors(notes, signature);
  const batching = planScheduling(notes);
  const engine = planResources(notes, facts);
  return {
    source: text.source,
    entries: notes.entries,
    lacksBackend: !hasBackend || text.config.ensemble_scheduling !== undefined,
    settings: {
      engine,
      ...(batching === undefined ? {} : { batching }),
      ...(declared === undefined ? {} : { declared }),
    },
  };
}
