import { invalidInput, NimifyError, toNimifyError, withPlace } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { ConfigText } from '../../base/triton/read-model-config.ts';
import type { Clock, Timer } from '../../base/util/clock.ts';
import { didYouMean } from '../../base/util/nearest-name.ts';
import type { ServedModel } from '../contract.ts';
import type { Inventory, InventoryOptions, StockedModel } from '../inventory.ts';
import type { MutableRegistry } from '../registry.ts';
import type { FoundModel, ModelSource } from '../repository.ts';
import { byNameAndVersion } from '../versions.ts';
import type { ControlMode, LoadRequest, ModelControl } from './contract.ts';
import type { GivenFolder } from './given-files.ts';
import type { LoadMetrics } from './load-metrics.ts';
import {
  type ApplyOptions,
  createModelRecord,
  type LoadFailure,
  type ModelRecord,
  type StagedModel,
} from './model-record.ts';
import { createPoller, type Poller } from './poller.ts';

export interface ControlDeps {
  readonly registry: MutableRegistry;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: LoadMetrics;
  /** @param sources default: what was given at the start, or with the last `reload` */
  readonly takeInventory: (options: InventoryOptions, sources?: readonly ModelSource[]) => Promise<Inventory>;
  /** From now on these are to be served. */
  readonly keepSources?: (sources: readonly ModelSource[]) => void;
  readonly assemble: (found: FoundModel) => Promise<ServedModel>;
}

export interface ControlOptions {
  readonly mode: ControlMode;
  /** Time between two looks at the files, in milliseconds (mode `poll`). */
  readonly pollMs: number;
  /** Models to load at the start (mode `explicit`); `*` alone stands for all. */
  readonly load: readonly string[];
}

export interface RunningControl extends ModelControl {
  /**
   * Looks over what there is and announces it to the registry.
   * @throws NimifyError NOT_FOUND, CONFIG_INVALID: what is to be served cannot be looked at
   */
  prepare(): Promise<void>;
  /** Loads what is to be served at the start, and begins to poll. Gives what could not be loaded; nothing told of it. */
  start(): Promise<readonly LoadFailure[]>;
  /**
   * Serves what these are from now on, as it is set there. All that changed is loaded first, beside what is served; then
   * all of it takes its place at once. Of what requests load (mode `explicit`), what is loaded now is loaded anew.
   * @throws NimifyError what cannot be served; then everything is as it was
   */
  reload(sources: readonly ModelSource[]): Promise<Reloaded>;
  /** Takes up nothing more, and waits as long for models that are on their way out. */
  close(options: { readonly graceMs: number }): Promise<void>;
}

/** Names of models. */
export interface Reloaded {
  /** New, or other than they were. */
  readonly loaded: readonly string[];
  readonly removed: readonly string[];
}

/** Models that were replaced finish what runs on them; the deadlines of the requests end that sooner. */
const RETIRE_MS = 10 * 60_000;

/** Holds the models of a server in line with what lies on disk, or with what it is asked to load. */
export function createModelControl(deps: ControlDeps, options: ControlOptions): RunningControl {
  const { clock, log, registry } = deps;
  const { mode } = options;
  const mayBeEmpty = mode !== 'none';
  const records = new Map<string, ModelRecord>();
  /** Configurations of requests to load, which hold until the next such request. */
  const overrides = new Map<string, ConfigText>();
  const retiring = new Set<Promise<void>>();
  const given = new Map<string, GivenFolder>();
  let stock: Inventory = { models: [], skipped: [] };
  let poller: Poller | undefined;
  /** Loading measures each model, and measurements side by side would disturb each other. */
  let last: Promise<unknown> = Promise.resolve();
  let inWork = 0;
  let isClosing = false;

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    inWork += 1;
    const result = last.then(work);
    last = result
      .catch(() => undefined)
      .finally(() => {
        inWork -= 1;
      });
    return result;
  }

  function retire(served: ServedModel, onDone: () => void): void {
    const { name, version, model } = served;
    const done = model.close({ graceMs: RETIRE_MS }).then(
      () => log.info({ model: name, version }, 'drained and freed'),
      (err: unknown) => log.error({ model: name, version, err }, 'did not close cleanly'),
    );
    const tracked = done.then(() => {
      retiring.delete(tracked);
      onDone();
    });
    retiring.add(tracked);
  }

  /** What is done only now would be closed by nobody. */
  async function assemble(found: FoundModel): Promise<ServedModel> {
    const served = await deps.assemble(found);
    if (!isClosing) return served;
    await served.model.close({ graceMs: 0 });
    throw new NimifyError('CANCELLED', `the server closed while ${found.path} was loaded`);
  }

  function recordOf(name: string): ModelRecord {
    const known = records.get(name);
    if (known !== undefined) return known;
    const record = createModelRecord(name, { ...deps, assemble, retire });
    records.set(name, record);
    return record;
  }

  async function apply(model: StockedModel, how?: ApplyOptions): Promise<readonly LoadFailure[]> {
    return isClosing ? [] : recordOf(model.name).apply(model, how);
  }

  function wantedAtStart(models: readonly StockedModel[]): readonly StockedModel[] {
    if (mode !== 'explicit') return models;
    const { load } = options;
    if (load.includes('*')) {
      if (load.length === 1) return models;
      throw new NimifyError('CONFIG_INVALID', "--load-model: expected '*' alone, or names of models");
    }
    return load.map((name) => {
      const model = models.find((one) => one.name === name);
      if (model === undefined) throw unknownModel(name, models, 'CONFIG_INVALID');
      return model;
    });
  }

  function requireExplicit(what: string): void {
    if (mode === 'explicit') return;
    throw new NimifyError(
      'UNSUPPORTED',
      `a request to ${what} a model is taken only with --model-control-mode explicit; the mode is '${mode}'`,
      { details: { where: 'model-control-mode', expected: 'explicit', got: mode } },
    );
  }

  async function load(name: string, request: LoadRequest): Promise<void> {
    const override = await readOverride(name, request.config);
    if (request.files !== undefined && request.files.size > 0) {
      await loadGiven(name, request.files, override);
      return;
    }
    stock = await deps.takeInventory({
      mayBeEmpty,
      overrides: new Map(
        [...overrides].filter(([other]) => other !== name).concat(override ? [[name, override]] : []),
      ),
    });
    const model = stock.models.find((one) => one.name === name);
    if (model === undefined) throw unknownModel(name, stock.models, 'MODEL_NOT_FOUND');
    throwFirst(await apply(model));
    if (override === undefined) overrides.delete(name);
    else overrides.set(name, override);
    await dropGiven(name);
  }

  async function loadGiven(
    name: string,
    files: ReadonlyMap<string, Uint8Array>,
    override: ConfigText | undefined,
  ): Promise<void> {
    if (override === undefined) {
      throw invalidInput('files: a configuration must come with them, in the parameter config', {
        where: 'config',
      });
    }
    const [{ writeGivenFiles }, { readModelFolder }] = await Promise.all([
      import('./given-files.ts'),
      import('../triton/model-folder.ts'),
    ]);
    const folder = await writeGivenFiles(name, files);
    try {
      throwFirst(await apply(await readModelFolder(folder.folder, override)));
    } catch (failed) {
      await folder.remove();
      throw failed;
    }
    await dropGiven(name);
    given.set(name, folder);
  }

  /** Files that a request brought are needed as long as they are served: a session that dies is made anew from them. */
  async function dropGiven(name: string): Promise<void> {
    const folder = given.get(name);
    given.delete(name);
    await folder?.remove();
  }

  async function reload(sources: readonly ModelSource[]): Promise<Reloaded> {
    const next = await deps.takeInventory({ mayBeEmpty, overrides }, sources);
    const isServed = (name: string) =>
      records
        .get(name)
        ?.index()
        .some(({ state }) => state === 'READY');
    const wanted = next.models.filter(({ name }) => mode !== 'explicit' || isServed(name));
    const staged = new Map<string, StagedModel>();
    try {
      for (const model of wanted) staged.set(model.name, await recordOf(model.name).stage(model));
      if (isClosing) throw new NimifyError('CANCELLED', 'the server closed while models were loaded');
    } catch (failed) {
      await Promise.all(Array.from(staged.values(), (one) => one.abandon()));
      throw failed;
    }
    // From here to the end of the loops no request comes between, and nothing can fail.
    const names = new Set(next.models.map(({ name }) => name));
    const removed = [...records.keys()].filter((name) => !names.has(name) && isServed(name));
    const loaded = [...staged].filter(([, { isChanged }]) => isChanged).map(([name]) => name);
    for (const one of staged.values()) one.commit();
    for (const name of removed) records.get(name)?.unload();
    stock = next;
    deps.keepSources?.(sources);
    return { loaded, removed };
  }

  return {
    mode,
    reload: (sources) => inTurn(() => reload(sources)),
    async prepare() {
      stock = await deps.takeInventory({ mayBeEmpty });
      for (const { path, reason } of stock.skipped) log.warn({ path, reason }, 'model file passed over');
      for (const { name, found } of wantedAtStart(stock.models)) {
        for (const { version } of found) registry.expect(name, version);
      }
    },
    async start() {
      const failures: LoadFailure[] = [];
      poller =
        mode === 'poll'
          ? createPoller(
              { ...deps, apply: (model) => inTurn(() => apply(model)), records, mayBeEmpty },
              options,
            )
          : undefined;
      for (const model of wantedAtStart(stock.models)) {
        if ((await poller?.isSettled(model)) === false) continue;
        failures.push(...(await inTurn(() => apply(model, { isQuiet: true }))));
        poller?.applied(model);
      }
      if (!isClosing) poller?.start();
      return failures;
    },
    async index({ readyOnly = false } = {}) {
      const entries = [...records.values()].flatMap((record) => record.index());
      if (mode === 'explicit') {
        const known = new Set(entries.map(({ name }) => name));
        const { models } = await deps.takeInventory({ mayBeEmpty, overrides });
        for (const { name } of models) {
          if (!known.has(name)) entries.push({ name, state: 'UNAVAILABLE', reason: 'not loaded' });
        }
      } else {
        const known = new Set(records.keys());
        for (const { name, found } of stock.models) {
          if (known.has(name)) continue;
          for (const { version } of found) entries.push({ name, version, state: 'LOADING', reason: '' });
        }
      }
      return entries.filter(({ state }) => !readyOnly || state === 'READY').sort(byNameAndVersion);
    },
    async load(name, request = {}) {
      requireExplicit('load');
      refuseName(name);
      try {
        await inTurn(() => load(name, request));
      } catch (failed) {
        // In the words that clients of Triton look for.
        throw withPlace(`failed to load '${name}'`, toNimifyError(failed));
      }
    },
    async unload(name) {
      requireExplicit('unload');
      refuseName(name);
      await inTurn(async () => {
        const record = records.get(name);
        if (record === undefined) {
          const { models } = await deps.takeInventory({ mayBeEmpty });
          if (models.some((model) => model.name === name)) return;
          throw unknownModel(name, models, 'MODEL_NOT_FOUND');
        }
        record.unload();
        overrides.delete(name);
        await dropGiven(name);
      });
    },
    async close({ graceMs }) {
      isClosing = true;
      poller?.stop();
      if (inWork > 0 || retiring.size > 0) await within(clock, graceMs, Promise.all([last, ...retiring]));
      for (const name of [...given.keys()]) await dropGiven(name);
    },
  };
}

async function within(clock: Clock, limitMs: number, done: Promise<unknown>): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimer(resolve, limitMs);
  });
  await Promise.race([done, late]);
  timer?.cancel();
}

async function readOverride(name: string, json: string | undefined): Promise<ConfigText | undefined> {
  if (json === undefined) return undefined;
  const { readModelConfigJson } = await import('../../base/triton/read-model-config.ts');
  return readModelConfigJson(json, `config of '${name}'`);
}

/** A name is one folder of the repository, never a way to another. */
function refuseName(name: string): void {
  const isPlain = name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
  if (isPlain) return;
  throw invalidInput(
    `model: expected the name of a model in the repository, got '${name.slice(0, 60)}'; nothing outside is loaded`,
    { where: 'model', got: name.slice(0, 60) },
  );
}

function throwFirst(failures: readonly LoadFailure[]): void {
  const [first] = failures;
  if (first !== undefined) throw toNimifyError(first.error);
}

function unknownModel(
  name: string,
  models: readonly StockedModel[],
  code: 'MODEL_NOT_FOUND' | 'CONFIG_INVALID',
): NimifyError {
  const known = models.map((model) => model.name);
  const hint = didYouMean(name, known) || `; it has ${known.slice(0, 20).join(', ') || 'none'}`;
  return new NimifyError(code, `there is no model '${name}' in the repository${hint}`, {
    details: { where: 'model', expected: known.slice(0, 20), got: name },
  });
}
