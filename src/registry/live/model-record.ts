import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { ServedModel } from '../contract.ts';
import type { StockedModel } from '../inventory.ts';
import type { MutableRegistry } from '../registry.ts';
import type { FoundModel } from '../repository.ts';
import type { IndexEntry } from './contract.ts';
import { takeFingerprint } from './fingerprint.ts';
import type { LoadMetrics } from './load-metrics.ts';

export interface RecordDeps {
  readonly registry: MutableRegistry;
  readonly log: Logger;
  readonly metrics: LoadMetrics;
  readonly assemble: (found: FoundModel) => Promise<ServedModel>;
  /** Lets a model that was served finish what runs, and frees it. */
  readonly retire: (served: ServedModel, onDone: () => void) => void;
}

/** A version that could not be loaded. */
export interface LoadFailure {
  readonly model: string;
  readonly version: string;
  /** Undefined where no file could be looked at. */
  readonly path: string | undefined;
  readonly error: NimifyError;
  readonly lacksBackend: boolean;
}

export interface ApplyOptions {
  /** Leave it to the caller to tell of failures. Default false. */
  readonly isQuiet?: boolean;
}

/** All that is known of one model: what is served of it, and what could not be loaded. */
export interface ModelRecord {
  /**
   * Brings what is served in line with what is there. A new state of a version answers from one request to the next,
   * and the old one drains. As long as anything fails, nothing that is served goes away.
   */
  apply(model: StockedModel, options?: ApplyOptions): Promise<readonly LoadFailure[]>;
  /**
   * Loads what is there beside what is served, and changes nothing yet.
   * @throws NimifyError what cannot be served; nothing that was loaded is left then
   */
  stage(model: StockedModel): Promise<StagedModel>;
  /** Serves nothing of it any more. */
  unload(): void;
  index(): readonly IndexEntry[];
}

/** A new state of a model, loaded. One of the two is to be called, once. */
export interface StagedModel {
  /** Is anything other than it was? */
  readonly isChanged: boolean;
  /** Serves it from now on, instead of what was served; never fails. */
  commit(): void;
  abandon(): Promise<void>;
}

interface VersionState {
  served: ServedModel | undefined;
  /** Of the files that are served. */
  fingerprint: string | undefined;
  state: IndexEntry['state'];
  reason: string;
}

interface Prepared {
  readonly served: ServedModel;
  readonly key: string;
}

/** What is set for it: served anew where that changes. */
function settingsText(found: FoundModel): string {
  const { name, version, path, program, alone, folder, config, ...settings } = found;
  return JSON.stringify(settings);
}

/** Stands for the model as a whole, where no version of it could be looked at. */
const WHOLE = '';

export function createModelRecord(name: string, deps: RecordDeps): ModelRecord {
  const { registry, log, metrics } = deps;
  const versions = new Map<string, VersionState>();

  function stateOf(version: string): VersionState {
    const known = versions.get(version);
    if (known !== undefined) return known;
    const state: VersionState = { served: undefined, fingerprint: undefined, state: 'LOADING', reason: '' };
    versions.set(version, state);
    return state;
  }

  /** @returns undefined where the version is served already, as it is there */
  async function prepare(found: FoundModel): Promise<Prepared | undefined> {
    const state = stateOf(found.version);
    const { text: fingerprint } = await takeFingerprint(found);
    const key = `${fingerprint}\n${found.config?.text}\n${settingsText(found)}`;
    if (state.served !== undefined && state.fingerprint === key) {
      state.reason = '';
      return undefined;
    }
    if (state.served === undefined) state.state = 'LOADING';
    const served = await deps.assemble(found);
    if ((await takeFingerprint(found)).text !== fingerprint) {
      await served.model.close({ graceMs: 0 });
      const message = `${found.path}: its files changed while they were loaded; they are taken up once they stay as they are`;
      throw new NimifyError('CONFLICT', message, { details: { where: found.path } });
    }
    return { served, key };
  }

  function put({ served, key }: Prepared): void {
    const { version } = served;
    const before = registry.add(served);
    versions.set(version, { served, fingerprint: key, state: 'READY', reason: '' });
    metrics.loaded(name, version);
    if (before === undefined) return;
    log.info({ model: name, version }, 'replaced: new requests go to what was loaded just now');
    deps.retire(before, () => {});
  }

  async function load(found: FoundModel): Promise<void> {
    const prepared = await prepare(found);
    if (prepared !== undefined) put(prepared);
  }

  async function stage({ found, unservable }: StockedModel): Promise<StagedModel> {
    const refused = unservable.find(({ lacksBackend }) => !lacksBackend);
    if (refused !== undefined) throw refused.error;
    const all: Prepared[] = [];
    const abandon = async () => {
      await Promise.all(all.map(({ served }) => served.model.close({ graceMs: 0 })));
      // What was never served is as if it had never been there.
      for (const [version, { served }] of [...versions]) if (served === undefined) versions.delete(version);
    };
    try {
      for (const one of found) {
        const prepared = await prepare(one);
        if (prepared !== undefined) all.push(prepared);
      }
    } catch (failed) {
      await abandon();
      throw failed;
    }
    const wanted = new Set(found.map(({ version }) => version));
    const gone = [...versions.keys()].filter((version) => !wanted.has(version));
    return {
      isChanged: all.length > 0 || gone.length > 0,
      commit() {
        for (const prepared of all) put(prepared);
        for (const version of gone) retire(version);
        metrics.setOutdated(name, false);
      },
      abandon,
    };
  }

  function fail({ version, error, lacksBackend }: LoadFailure): void {
    const state = stateOf(version);
    state.reason = error.message;
    metrics.failed(name, version);
    if (state.served !== undefined) return;
    state.state = 'UNAVAILABLE';
    registry.fail(name, version, { isExcused: lacksBackend });
  }

  function isServed(): boolean {
    return [...versions.values()].some(({ served }) => served !== undefined);
  }

  function retire(version: string): void {
    const state = versions.get(version);
    const served = registry.remove(name, version);
    if (state === undefined) return;
    if (served === undefined) {
      versions.delete(version);
      return;
    }
    state.served = undefined;
    state.state = 'UNLOADING';
    state.reason = '';
    deps.retire(served, () => {
      if (versions.get(version) === state) versions.set(version, { ...state, ...UNLOADED });
    });
  }

  return {
    async apply({ found, unservable }, { isQuiet = false } = {}) {
      const failures: LoadFailure[] = unservable.map(({ version = WHOLE, error, lacksBackend }) => {
        return { model: name, version, path: undefined, error, lacksBackend };
      });
      for (const one of found) {
        try {
          await load(one);
        } catch (thrown) {
          const error = toNimifyError(thrown);
          failures.push({ model: name, version: one.version, path: one.path, error, lacksBackend: false });
        }
      }
      for (const failure of failures) {
        fail(failure);
        if (!isQuiet) tellFailure(failure, { log, isServed: isServed() });
      }
      const wanted = new Set([
        ...found.map(({ version }) => version),
        ...failures.map(({ version }) => version),
      ]);
      for (const [version, { served }] of [...versions]) {
        if (!wanted.has(version) && (failures.length === 0 || served === undefined)) retire(version);
      }
      const isOutdated = failures.length > 0 && isServed();
      metrics.setOutdated(name, isOutdated);
      return failures;
    },
    stage,
    unload() {
      for (const version of [...versions.keys()]) retire(version);
      metrics.setOutdated(name, false);
    },
    index() {
      return [...versions].map(([version, { state, reason }]) => ({
        name,
        ...(version === WHOLE ? {} : { version }),
        state,
        reason,
      }));
    },
  };
}

/** In the log. */
export function tellFailure(
  { model, version, error, lacksBackend }: LoadFailure,
  { log, isServed }: { readonly log: Logger; readonly isServed: boolean },
): void {
  const fields = { model, ...(version === WHOLE ? {} : { version }), reason: error.message };
  if (isServed) log.error(fields, 'could not be loaded; what was served before goes on answering');
  else if (lacksBackend) log.warn(fields, 'not served: it is for another backend');
  else log.error({ ...fields, err: error }, 'could not be loaded');
}

const UNLOADED = { state: 'UNAVAILABLE', reason: 'unloaded' } as const;
