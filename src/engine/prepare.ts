import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { sliceRows } from '../base/tensor/rows.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import { NEVER_CANCELLED } from '../base/util/cancel.ts';
import type { Clock } from '../base/util/clock.ts';
import { createSeededRandom } from '../base/util/seeded-random.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Model } from '../model/contract.ts';
import type {
  Engine,
  EngineInstance,
  EngineOptions,
  EnginePart,
  HostKind,
  RunRequest,
  RunResult,
} from '../model/engine.ts';
import type { Member } from '../model/member.ts';
import type { Signature } from '../model/signature.ts';
import { decideBatchAxis, refuseForced } from './decide-batch-axis.ts';
import { createEngineModel } from './engine-model.ts';
import { LARGE_RUN_NS } from './host/inline-runs.ts';
import { EARLIER, timeText } from './host/pick-host.ts';
import { type LoadCache, loadKey, toKeep } from './known-load.ts';
import { type ExampleFound, type ExampleSearch, findExample, recipeInputs, tryExample } from './self-test.ts';
import { type RunSample, repeatRows, WARM_UP_NS, warmUp } from './warm-up.ts';

const SEED = 11;

export interface PrepareInput {
  readonly name: string;
  readonly version: string;
  readonly artifact: Artifact;
  readonly engine: Engine;
  readonly options: EngineOptions;
  /** A request that somebody gave for this model; it must work. Default: one is made from the signature. */
  readonly example?: readonly Tensor[];
  /**
   * Where the file fixes the rows of every batch, requests of other numbers of rows are wanted: the batcher is to fill
   * runs up. Default false.
   */
  readonly pads?: boolean;
  /** What makes one Model of the sessions of a host, where there are several; undefined: they are to be as one. */
  readonly joinMembers?: (host: HostKind) => Promise<JoinMembers | undefined>;
}

export type JoinMembers = (members: readonly [Member, Member, ...Member[]]) => Model;

export interface PreparedModel {
  readonly model: Model;
  /** Inputs that the model answered, and how; undefined where none were found. */
  readonly example:
    | {
        readonly inputs: readonly Tensor[];
        readonly outputs: readonly Tensor[];
        readonly origin: 'file' | 'generated';
      }
    | undefined;
  /** What runs took, by their rows; of a model that is not batched, a request counts as one. Empty: not known. */
  readonly costs: readonly RunSample[];
  /** Rows that every run has to be filled up to; only where that was wanted, and rows are proven independent. */
  readonly paddedRows: number | undefined;
  /**
   * Runs to have in flight at once: the instance's slots. One where rows may be joined and runs take turns on the main
   * thread: requests that wait meanwhile make one batch.
   */
  readonly slots: number;
  readonly host: HostKind;
  /** Memory that the load took, as far as it can be told. */
  readonly memoryBytes: number;
  /** `host`, `batchAxis`, `selfTest`, `memory`: each with its reason, for people. */
  readonly notes: Readonly<Record<string, string>>;
}

export interface PrepareDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** What earlier loads measured. Default: nothing is kept. */
  readonly loads?: LoadCache;
}

/**
 * Makes a Model of an artifact: loads it, lets it answer a request, and finds out whether it may be batched.
 * @throws NimifyError where it cannot be loaded, or refuses the example that was given for it; CONFIG_INVALID where
 * a batch axis is forced on tensors that can have none
 */
export async function prepareModel(
  input: PrepareInput,
  { clock, log, loads }: PrepareDeps,
): Promise<PreparedModel> {
  const { name, version, artifact, engine, options, pads = false } = input;
  const wishes = { batchAxis: options.batchAxis, pads };
  refuseForced(artifact, wishes);
  const example = input.example && (pads ? filledUp(input.example, artifact.fixedRows) : input.example);
  const asked = { ...options, ...(example === undefined ? {} : { exampleInputs: example }) };
  const key = loads && loadKey(artifact, engine, asked, pads);
  const known = key && (await loads?.read(key));
  const instance = await engine.load(artifact, {
    ...asked,
    ...(known?.usualRun === undefined ? {} : { usualRun: known.usualRun }),
  });
  try {
    const search: ExampleSearch = {
      signature: instance.signature,
      indexLimits: artifact.indexLimits,
      run: (request) => runDirectly(instance, request),
      clock,
    };
    const found = example === undefined ? await findExample(search) : await tryExample(search, example);
    if (!found.ok && isOverMemory(found.error)) throw tooLittleMemory(artifact, found.error);
    if (!found.ok && example !== undefined) throw refusedExample(artifact, found.reason, found.error);
    if (!found.ok)
      log.warn(
        { model: name, version, reason: found.reason },
        'not ready until it answers a request: no self-test could be made up; give an example.json beside the model',
      );
    const batch = (found.ok && known?.batch) || (await decideBatchAxis(artifact, wishes, search, found));
    const { paddedRows } = batch;
    const notes = {
      host: instance.hostReason,
      batchAxis: `${paddedRows === undefined ? batch.axis : 0}: ${batch.reason}${batch === known?.batch ? EARLIER : ''}`,
      selfTest: describeTest(found),
      memory: `${Math.round(instance.memoryBytes / 2 ** 20)} MiB more resident after loading`,
    };
    log.info({ model: name, version, ...notes }, 'model loaded');
    if (pads && artifact.fixedRows !== undefined && paddedRows === undefined)
      log.warn(
        { model: name, version, reason: batch.reason },
        'requests must have the rows that the model fixes',
      );
    const signature: Signature = { ...instance.signature, batchAxis: batch.axis };
    const costs =
      found.ok && known?.costs !== undefined
        ? known.costs
        : await measureCosts({ ...search, signature }, { instance, options, found });
    if (key !== undefined && costs !== known?.costs && found.ok) {
      const { usualRun } = instance;
      await loads?.write(key, toKeep({ ...(usualRun === undefined ? {} : { usualRun }), batch, costs }));
    }
    const join = instance.split === undefined ? undefined : await input.joinMembers?.(instance.host);
    const model = toModel(instance, join, (part, onRoom) =>
      createEngineModel({ artifact, instance: part, name, version, clock, log, signature, onRoom }),
    );
    const { host, memoryBytes } = instance;
    const joins = signature.batchAxis === 0 || paddedRows !== undefined;
    return {
      model,
      example: found.ok
        ? published(found, paddedRows === undefined ? undefined : rowsGiven(input))
        : undefined,
      costs: paddedRows === undefined ? costs : costs.map(({ ns }) => ({ rows: paddedRows, ns })),
      paddedRows,
      slots: host === 'inline' && joins ? 1 : instance.slots,
      ...{ host, memoryBytes, notes },
    };
  } catch (failed) {
    await instance.drain();
    throw failed;
  }
}

/** The instance as one Model, or over its sessions as members. */
function toModel(
  instance: EngineInstance,
  join: JoinMembers | undefined,
  create: (part: EngineInstance, onRoom: () => void) => Model,
): Model {
  const [first, second, ...others] = (join && instance.split?.()) ?? [];
  if (join === undefined || first === undefined || second === undefined) return create(instance, () => {});
  const toMember = (part: EnginePart, index: number): Member => {
    let listener = () => {};
    return {
      name: String(index),
      model: create(part, () => listener()),
      get hasRoom() {
        return part.hasRoom;
      },
      onRoom(hears) {
        listener = hears;
      },
    };
  };
  return join([
    toMember(first, 0),
    toMember(second, 1),
    ...others.map((part, index) => toMember(part, index + 2)),
  ]);
}

/** An example of fewer rows than a run has to have. */
function filledUp(inputs: readonly Tensor[], rows: number | undefined): readonly Tensor[] {
  const isShort = rows !== undefined && inputs.every(({ shape: [given = 0] }) => given > 0 && given < rows);
  return isShort ? repeatRows(inputs, rows) : inputs;
}

/** Rows of the example as it was given; one, where it was made up. */
function rowsGiven({ example }: PrepareInput): number {
  return example?.[0]?.shape[0] ?? 1;
}

/** @param rows of the example, whatever it took to run it; undefined: all that it has */
function published(
  { inputs, outputs, origin }: Extract<ExampleFound, { ok: true }>,
  rows: number | undefined,
): PreparedModel['example'] {
  if (rows === undefined) return { inputs, outputs, origin };
  const first = (tensor: Tensor) => sliceRows(tensor, 0, rows);
  return { inputs: inputs.map(first), outputs: outputs.map(first), origin };
}

/** A run outside of any line: nobody else uses the instance yet. */
async function runDirectly(instance: EngineInstance, request: RunRequest): Promise<RunResult> {
  const lease = instance.tryAcquire();
  if (lease === undefined) throw new NimifyError('ENGINE_CRASHED', 'The model has no thread to run on');
  try {
    return await instance.run(lease, request, NEVER_CANCELLED);
  } finally {
    lease.release();
  }
}

/** Most rows of a run in the warm-up: more than that are hardly ever joined. */
const MOST_ROWS = 256;
/** The same in a process, whose memory is not seen from here: about what the proof of the batch axis ran. */
const MOST_ROWS_IN_PROCESS = 8;
/** A run that is longer than this share of the limit might pass it another time. */
const SHARE_OF_RUN_LIMIT = 1 / 4;

async function measureCosts(
  { signature, run, clock, indexLimits }: ExampleSearch,
  { instance, options, found }: { instance: EngineInstance; options: EngineOptions; found: ExampleFound },
): Promise<readonly RunSample[]> {
  if (!found.ok) return [];
  const { tune = 'off', runLimitMs = Number.POSITIVE_INFINITY } = options;
  const budgetNs = WARM_UP_NS[tune];
  if (found.runNs > budgetNs) return [{ rows: 1, ns: found.runNs }];
  const { inputs, recipe } = found;
  const canJoin = signature.batchAxis === 0 && inputs.every(({ shape }) => shape[0]! > 0);
  return warmUp({
    ...{ signature, run, clock, budgetNs },
    isInline: instance.host === 'inline' || instance.runNow !== undefined,
    inputsOf(rows) {
      if (!canJoin) return inputs;
      if (recipe === undefined) return repeatRows(inputs, rows);
      return recipeInputs(signature, recipe, { indexLimits, random: createSeededRandom(SEED), rows });
    },
    mostRows: !canJoin ? 1 : instance.host === 'process' ? MOST_ROWS_IN_PROCESS : MOST_ROWS,
    mostNs: Math.min(
      runLimitMs * 1e6 * SHARE_OF_RUN_LIMIT,
      // Longer ones leave the main thread, for threads that are opened when they are first needed.
      instance.host === 'inline' ? LARGE_RUN_NS : Number.POSITIVE_INFINITY,
    ),
  });
}

function describeTest(found: ExampleFound): string {
  if (!found.ok) return `none: ${found.reason}`;
  const whose = found.origin === 'file' ? 'the given example' : 'a generated request';
  return `answered ${whose} in ${timeText(found.runNs)}`;
}

/** The first run would have met the limit just so: better said now than to every request. */
function isOverMemory(error: NimifyError | undefined): error is NimifyError {
  return typeof error?.details?.memoryLimitBytes === 'number';
}

function tooLittleMemory(artifact: Artifact, error: NimifyError): NimifyError {
  const limit = `${Math.round(Number(error.details?.memoryLimitBytes) / 2 ** 20)} MiB`;
  return new NimifyError(
    'ENGINE_FAILED',
    `${artifact.path} needs more than ${limit} to load and answer one request; raise the memory limit if this ` +
      'machine has more, or serve a smaller model',
    { details: { ...error.details, where: artifact.path }, cause: error.cause },
  );
}

function refusedExample(artifact: Artifact, reason: string, cause: NimifyError | undefined): NimifyError {
  return new NimifyError(
    'INVALID_INPUT',
    `${artifact.path}: ${reason}; mend or remove the example beside the model`,
    {
      ...(cause?.details === undefined ? {} : { details: cause.details }),
      ...(cause?.cause === undefined ? {} : { cause: cause.cause }),
    },
  );
}
