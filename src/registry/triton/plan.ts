import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { TextPlace } from '../../base/textproto/text-error.ts';
import type { ConfigText } from '../../base/triton/read-model-config.ts';
import type { EngineOptions } from '../../model/engine.ts';
import type { BatchingOptions } from '../../policy/batching/contract.ts';
import type { DeclaredOptions } from '../../policy/declared/declared.ts';

/**
 * `honoured`: it does what it does in Triton. `ignored`: the model is served without it, and answers the same.
 * `refused`: without it the answers would be other ones, so the model is not served.
 */
export type Verdict = 'honoured' | 'ignored' | 'refused';

/** What becomes of one field of a configuration. */
export interface PlanEntry {
  /** Path, such as `input[0].dims`. */
  readonly field: string;
  readonly verdict: Verdict;
  /** What it does here, or why it does nothing, or why the model cannot be served with it. */
  readonly says: string;
  /** Where it stands; undefined where the configuration came as JSON. */
  readonly at?: TextPlace;
}

/** What a configuration says of batches and queues; what it leaves out is nimify's to find. */
export type PlannedBatching = Partial<
  Pick<
    BatchingOptions,
    | 'maxBatchRows'
    | 'maxDelayMs'
    | 'preferredRows'
    | 'preserveOrder'
    | 'priorities'
    | 'queue'
    | 'queueByPriority'
  >
>;

/** What a configuration asks of the stack of a model. */
export interface PlanSettings {
  readonly engine: Partial<EngineOptions>;
  /** How requests wait and are run together, as far as it is said. */
  readonly batching?: PlannedBatching;
  /** How the tensors look from outside; undefined: as the file has them. */
  readonly declared?: DeclaredOptions;
}

/** What becomes of a configuration, field by field. */
export interface ModelPlan {
  readonly source: string;
  readonly entries: readonly PlanEntry[];
  /** A backend that nimify lacks is asked for: nothing about the model's own files is known then. */
  readonly lacksBackend: boolean;
  readonly settings: PlanSettings;
}

/** Gathers entries. A field that is not set gets none. */
export interface PlanNotes {
  readonly text: ConfigText;
  honour(field: string, says: string): void;
  ignore(field: string, says: string): void;
  refuse(field: string, says: string): void;
  readonly entries: readonly PlanEntry[];
}

export function createPlanNotes(text: ConfigText): PlanNotes {
  const entries: PlanEntry[] = [];

  function add(field: string, verdict: Verdict, says: string): void {
    const at = text.places.get(field);
    entries.push({ field, verdict, says, ...(at === undefined ? {} : { at }) });
  }

  return {
    text,
    entries,
    honour: (field, says) => add(field, 'honoured', says),
    ignore: (field, says) => add(field, 'ignored', says),
    refuse: (field, says) => add(field, 'refused', says),
  };
}

/** @throws NimifyError as `refusalOf` has it */
export function refuseUnservable(plan: ModelPlan): void {
  const refusal = refusalOf(plan);
  if (refusal !== undefined) throw refusal;
}

/** UNSUPPORTED with every field that is refused; undefined where none is. */
export function refusalOf({
  source,
  entries,
}: Pick<ModelPlan, 'source' | 'entries'>): NimifyError | undefined {
  const refused = entries.filter(({ verdict }) => verdict === 'refused');
  const [first] = refused;
  if (first === undefined) return undefined;
  const told = refused.map((entry) => entryText(source, entry));
  const message =
    told.length === 1 ? told.join() : `${source} asks for what cannot be served:\n  ${told.join('\n  ')}`;
  return new NimifyError('UNSUPPORTED', message, { details: { where: `${source}: ${first.field}` } });
}

/** Such as `config.pbtxt:3:1: max_batch_size: ...`. */
export function entryText(source: string, { field, says, at }: PlanEntry): string {
  return `${source}${at === undefined ? '' : `:${at.line}:${at.column}`}: ${field}: ${says}`;
}
