import type { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Artifact } from '../../model/artifact.ts';
import type { Model } from '../../model/contract.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { fixedRowsOf } from '../../model/fixed-rows.ts';
import { createDeclared, reshapeOutward } from '../../policy/declared/declared.ts';
import type { ServedExample } from '../contract.ts';
import type { Labels } from '../labels.ts';
import type { FoundModel } from '../repository.ts';
import { readConfiguredLabels } from './model-labels.ts';
import { type PlannedBatching, refusalOf } from './plan.ts';
import { narrowArtifact, planFound } from './plan-found.ts';
import { warmUp } from './warm-up.ts';

/** What a model's configuration does to its stack. */
export interface Configured {
  /** The artifact as it will be used. */
  readonly artifact: Artifact;
  readonly engine: Partial<EngineOptions>;
  readonly batching: PlannedBatching | undefined;
  /** Class names by output, from the files that it names. */
  readonly labels: Labels;
  /**
   * UNSUPPORTED where rows are counted of a model whose batches are fixed, if its runs are not filled up; `reason` says
   * why they are not. Undefined where none has to be.
   */
  refuseUnpadded(reason: string | undefined): NimifyError | undefined;
  /** The model as it says that it looks. */
  wrap(model: Model): Model;
  /** An example of the model within as clients see it. */
  toOutside(example: ServedExample): ServedExample;
  /** Asks the finished stack what it wants it to have been asked. @throws NimifyError where that fails */
  warmUp(model: Model): Promise<void>;
}

/**
 * Compares the configuration of a found model with its file.
 * @throws NimifyError UNSUPPORTED where it asks for what cannot be served, INVALID_INPUT where a file is missing
 */
export async function configure(found: FoundModel, whole: Artifact, log: Logger): Promise<Configured> {
  const plan = await planFound(found, whole, log);
  const { declared, batching, engine = {} } = plan?.settings ?? {};
  const { folder, config } = found;
  const hasFiles = folder !== undefined && config !== undefined;
  return {
    artifact: narrowArtifact(whole, declared),
    engine,
    batching,
    refuseUnpadded(reason = 'none: nothing is known') {
      const rows = fixedRowsOf(whole.signature.inputs, whole.signature.outputs);
      if (config === undefined || rows === undefined || declared?.maxRows === undefined) return undefined;
      const field = 'max_batch_size';
      const says =
        `expected 0, and dims with the ${rows} rows of the model's own batches, since its runs cannot be filled up ` +
        `(${reason.replace(/^none: /, '')}), got ${declared.maxRows}`;
      const at = config.places.get(field);
      const entry = { field, says, verdict: 'refused', ...(at === undefined ? {} : { at }) } as const;
      return refusalOf({ source: config.source, entries: [entry] });
    },
    labels: hasFiles ? await readConfiguredLabels(folder, config.config) : {},
    wrap(model) {
      if (declared === undefined) return model;
      // Whether rows may be counted is known only now that it was proven.
      const { batchAxis } = model.signature;
      return createDeclared({ ...declared, signature: { ...declared.signature, batchAxis } })(model);
    },
    toOutside(example) {
      if (declared === undefined) return example;
      const offered = (name: string) => declared.signature.outputs.some((spec) => spec.name === name);
      return {
        ...example,
        inputs: reshapeOutward(example.inputs, declared.inputs),
        outputs: reshapeOutward(example.outputs, declared.outputs).filter(({ name }) => offered(name)),
      };
    },
    async warmUp(model) {
      if (hasFiles) await warmUp(model, folder, config.config);
    },
  };
}
