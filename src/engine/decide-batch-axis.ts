import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Artifact } from '../model/artifact.ts';
import { rowObstacle } from '../model/batch-axis.ts';
import type { EngineOptions } from '../model/engine.ts';
import { withOpenRows } from '../model/fixed-rows.ts';
import type { BatchAxis } from '../model/signature.ts';
import { type BatchProof, proveBatchAxis } from './batch-proof.ts';
import { type ExampleFound, type ExampleSearch, findExample } from './self-test.ts';

export interface BatchDecision {
  /** Of the model as it is loaded. */
  readonly axis: BatchAxis;
  /** Rows that each run has and that may be filled up to: they leave each other alone. */
  readonly paddedRows?: number;
  /** One clause in words. */
  readonly reason: string;
}

interface Wishes extends Pick<EngineOptions, 'batchAxis'> {
  /** Runs of a model of fixed batches are to be filled up. */
  readonly pads: boolean;
}

/** @throws NimifyError CONFIG_INVALID where a batch axis is forced on tensors that can have none */
export function refuseForced({ path, signature, fixedRows }: Artifact, { batchAxis, pads }: Wishes): void {
  if (batchAxis !== 'force' || (pads && fixedRows !== undefined)) return;
  const obstacle = rowObstacle(signature.inputs, signature.outputs);
  if (obstacle === undefined) return;
  throw new NimifyError(
    'CONFIG_INVALID',
    `${path}: the batch axis cannot be forced: ${obstacle}, so dimension 0 counts no rows; set batchAxis to 'auto' or 'none'`,
    { details: { where: 'batchAxis', expected: ['auto', 'none'], got: 'force' } },
  );
}

/** Whether rows may be joined, or runs be filled up, by what is wished and by what runs show. */
export async function decideBatchAxis(
  artifact: Artifact,
  { batchAxis: wish, pads }: Wishes,
  search: ExampleSearch,
  found: ExampleFound,
): Promise<BatchDecision> {
  const { fixedRows } = artifact;
  if (pads && fixedRows !== undefined) return decidePadding(fixedRows, wish === 'force', search, found);
  if (wish === 'none') return { axis: 'none', reason: 'configured' };
  if (wish === 'force') return { axis: 0, reason: FORCED };
  if (search.signature.batchAxis === 'none') return { axis: 'none', reason: artifact.batchAxisReason };
  const proof = await prove(search, found);
  if (proof === undefined) return { axis: 'none', reason: `${artifact.batchAxisReason}, but ${UNTRIED}` };
  return { axis: proof.proven ? 0 : 'none', reason: proof.reason };
}

const FORCED = 'forced by configuration, not proven';
const UNTRIED = 'batches could not be tried: no request could be made up';

async function decidePadding(
  rows: number,
  isForced: boolean,
  search: ExampleSearch,
  found: ExampleFound,
): Promise<BatchDecision> {
  const filled = `runs are filled up to ${rows} rows`;
  if (isForced) return { axis: 'none', paddedRows: rows, reason: `${filled}: ${FORCED}` };
  const { proven, reason } = (await prove(search, found, rows)) ?? { proven: false, reason: UNTRIED };
  if (proven) return { axis: 'none', paddedRows: rows, reason: `${filled}: ${reason}` };
  return { axis: 'none', reason: `dimension 0 is fixed at ${rows}, and runs are not filled up: ${reason}` };
}

/** Undefined where no inputs can be made up. */
async function prove(
  search: ExampleSearch,
  found: ExampleFound,
  fixedRows?: number,
): Promise<BatchProof | undefined> {
  const made = found.ok && found.recipe !== undefined ? found : await findExample(search);
  if (!made.ok || made.recipe === undefined) return undefined;
  const { recipe, runNs } = made;
  if (fixedRows === undefined) return proveBatchAxis({ ...search, recipe, runNs });
  return proveBatchAxis({ ...search, signature: withOpenRows(search.signature), fixedRows, recipe, runNs });
}
