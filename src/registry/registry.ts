import { NimifyError } from '../base/errors/nimify-error.ts';
import { type Clock, systemClock } from '../base/util/clock.ts';
import type { RequestContext } from '../model/context.ts';
import { takesRequests } from '../model/contract.ts';
import type { InferRequest, InferResponse } from '../model/request.ts';
import { validateRequest } from '../model/validate.ts';
import type { Readiness, Registry, ServedModel, ServerHealth } from './contract.ts';
import { createStatistics, type StatisticsRecorder } from './statistics.ts';
import { byNameAndVersion, compareVersions } from './versions.ts';

/** What is served under a name and version, is on its way there, or did not arrive. */
type Entry =
  | { readonly state: 'loading' }
  | Loaded
  | { readonly state: 'failed'; readonly isExcused: boolean };

interface Loaded {
  readonly state: 'loaded';
  readonly served: ServedModel;
  readonly statistics: StatisticsRecorder;
}

/** All versions of a name, and in their order: the first is looked up by every request that names none. */
interface Versions {
  readonly entries: ReadonlyMap<string, Entry>;
  /** What failed comes last. */
  readonly newestFirst: readonly Entry[];
}

const RANK = { loaded: 0, loading: 0, failed: 1 } as const;

export interface MutableRegistry extends Registry {
  /** Announces a model that is being loaded: until `add` or `fail` the registry is not ready. */
  expect(name: string, version: string): void;
  /** Serves it from now on. Gives what was served so until now: it is the caller's to close. */
  add(served: ServedModel): ServedModel | undefined;
  /** It could not be loaded. What is served under this name and version goes on. */
  fail(name: string, version: string, options: { readonly isExcused: boolean }): void;
  /** Does it answer its self-test? Until this is said, it does. */
  setAnswering(served: ServedModel, isAnswering: boolean): void;
  /** From now on it is as if it had never been there. Gives what was served: it is the caller's to close. */
  remove(name: string, version: string): ServedModel | undefined;
}

export interface RegistryOptions {
  /**
   * Is the server ready only when every model is? `but-excused`: those that failed for a reason which is not theirs do
   * not count. Default `all`.
   */
  readonly readiness?: 'all' | 'but-excused' | 'any';
  /** Is a server without models ready? Default false. */
  readonly mayBeEmpty?: boolean;
  /** Asked besides: false makes the server unready. Default: always true. */
  readonly isAble?: () => boolean;
  /** Must a model of this name be ready for the server to be? Default: each must. */
  readonly isRequired?: (name: string) => boolean;
  /** Hears of every request that a model failed, but for those that nobody waits for any more. */
  readonly onFailure?: (served: ServedModel, failure: unknown) => void;
  /** Default: the system's. */
  readonly clock?: Clock;
}

export function createRegistry({
  readiness = 'all',
  mayBeEmpty = false,
  isAble = () => true,
  isRequired = () => true,
  onFailure = () => {},
  clock = systemClock,
}: RegistryOptions = {}): MutableRegistry {
  const models = new Map<string, Versions>();
  /** Models without a self-test that have answered a client since. */
  const shown = new WeakSet<ServedModel>();
  /** Models whose self-test fails. */
  const silent = new WeakSet<ServedModel>();
  let draining = false;

  function put(name: string, version: string, entry: Entry): void {
    keep(name, new Map(models.get(name)?.entries).set(version, entry));
  }

  /** Without any entry there is no such model. */
  function keep(name: string, entries: ReadonlyMap<string, Entry>): void {
    const inOrder = [...entries].sort(
      ([a, one], [b, other]) => RANK[one.state] - RANK[other.state] || compareVersions(b, a),
    );
    if (inOrder.length === 0) models.delete(name);
    else models.set(name, { entries, newestFirst: inOrder.map(([, each]) => each) });
  }

  function servedOf(name: string, version: string): ServedModel | undefined {
    const entry = models.get(name)?.entries.get(version);
    return entry?.state === 'loaded' ? entry.served : undefined;
  }

  function* loaded(): Generator<Loaded> {
    for (const { entries } of models.values()) {
      for (const entry of entries.values()) if (entry.state === 'loaded') yield entry;
    }
  }

  function list(): readonly ServedModel[] {
    return Array.from(loaded(), ({ served }) => served).sort(byNameAndVersion);
  }

  function findLoaded(name: string, version?: string): Loaded {
    const versions = models.get(name);
    if (versions === undefined) throw unknownModel(name, undefined, [...models.keys()]);
    const entry = version === undefined ? answering(versions) : versions.entries.get(version);
    if (entry === undefined) throw unknownModel(name, version, [...versions.entries.keys()]);
    if (entry.state === 'loading') {
      throw new NimifyError('MODEL_NOT_READY', `Model '${name}' is still loading; try again shortly`, {
        retryAfterMs: 1000,
      });
    }
    if (entry.state === 'failed') throw unavailable(name, version);
    return entry;
  }

  function isReadyModel({ entries }: Versions): boolean {
    let isServed = false;
    let isExcused = true;
    for (const entry of entries.values()) {
      if (entry.state === 'loading') return false;
      if (entry.state === 'loaded') {
        if (readiness !== 'any' && !isModelReady(entry.served)) return false;
        isServed = true;
      } else isExcused &&= entry.isExcused;
    }
    return isServed || readiness === 'any' || (readiness === 'but-excused' && isExcused);
  }

  function isModelReady(served: ServedModel): boolean {
    return (
      takesRequests(served.model.state) &&
      !silent.has(served) &&
      (served.isUntested !== true || shown.has(served))
    );
  }

  function readinessOf(served: ServedModel): Readiness {
    if (!isModelReady(served)) return 'unready';
    const isLeftAlone = served.breaker !== undefined && served.breaker.state !== 'closed';
    return isLeftAlone || served.model.state === 'degraded' ? 'degraded' : 'ready';
  }

  function isWell({ entries }: Versions): boolean {
    for (const entry of entries.values()) {
      if (entry.state === 'failed' ? !entry.isExcused : entry.state === 'loading') return false;
      if (entry.state === 'loaded' && readinessOf(entry.served) !== 'ready') return false;
    }
    return true;
  }

  function health(): ServerHealth {
    const impaired: string[] = [];
    let isReady = !draining && isAble() && (mayBeEmpty || !loaded().next().done);
    for (const [name, versions] of models) {
      const isReadyOne = isReadyModel(versions);
      if (!isReadyOne && isRequired(name)) isReady = false;
      if (!isReadyOne || !isWell(versions)) impaired.push(name);
    }
    return { state: !isReady ? 'unready' : impaired.length > 0 ? 'degraded' : 'ready', impaired };
  }

  /** From here on the request is the model's, and counted as such, however it ends. */
  async function ask(
    { served, statistics }: Loaded,
    request: InferRequest,
    context: RequestContext,
  ): Promise<InferResponse> {
    const fromNs = clock.nowNs();
    try {
      const response = await served.model.infer(request, context);
      statistics.answered(fromNs, request, context, response);
      noteAnswer(served);
      return response;
    } catch (failed) {
      noteFailure(served, failed);
      statistics.failed(fromNs, context, isCancellation(failed));
      throw failed;
    }
  }

  function askNow(
    { served, statistics }: Loaded,
    request: InferRequest,
    context: RequestContext,
  ): InferResponse | undefined {
    const fromNs = clock.nowNs();
    try {
      const response = served.model.inferNow?.(request, context);
      if (response === undefined) return undefined;
      statistics.answered(fromNs, request, context, response);
      noteAnswer(served);
      return response;
    } catch (failed) {
      noteFailure(served, failed);
      statistics.failed(fromNs, context, isCancellation(failed));
      throw failed;
    }
  }

  function noteFailure(served: ServedModel, failed: unknown): void {
    if (!isCancellation(failed)) onFailure(served, failed);
  }

  function noteAnswer(served: ServedModel): void {
    if (served.isUntested === true) shown.add(served);
  }

  return {
    list,
    find: (name, version) => findLoaded(name, version).served,
    isReady: () => health().state !== 'unready',
    health,
    isModelReady,
    readinessOf,
    statistics(name, version) {
      // Refuses what is not there.
      if (name !== undefined) findLoaded(name, version);
      const wanted = Array.from(loaded()).filter(
        ({ served }) =>
          (name === undefined || served.name === name) &&
          (version === undefined || served.version === version),
      );
      return wanted
        .sort((a, b) => byNameAndVersion(a.served, b.served))
        .map(({ served, statistics }) => ({ served, statistics: statistics.read() }));
    },
    // No async function: a refusal costs no promise of its own.
    infer(request, context) {
      try {
        const entry = findLoaded(request.model, request.version);
        validateRequest(entry.served.model.signature, request);
        return ask(entry, request, context);
      } catch (refused) {
        return Promise.reject(refused);
      }
    },
    inferNow(request, context) {
      const entry = findLoaded(request.model, request.version);
      const { model } = entry.served;
      if (model.inferNow === undefined) return undefined;
      validateRequest(model.signature, request);
      return askNow(entry, request, context);
    },
    turnAway({ model: name, version }, context, isPlain) {
      const { served, statistics } = findLoaded(name, version);
      if (served.model.turnAway === undefined) return undefined;
      const fromNs = clock.nowNs();
      const refusal = served.model.turnAway(context, isPlain);
      if (refusal !== undefined) statistics.failed(fromNs, context, false);
      return refusal;
    },
    startDraining() {
      draining = true;
    },
    async close(options) {
      draining = true;
      const closing = list().map((served) => served.model.close(options));
      models.clear();
      await Promise.all(closing);
    },
    expect: (name, version) => put(name, version, { state: 'loading' }),
    add(served) {
      const { name, version } = served;
      const before = servedOf(name, version);
      put(name, version, {
        state: 'loaded',
        served,
        statistics: createStatistics(clock, served.model.signature),
      });
      return before;
    },
    fail(name, version, { isExcused }) {
      if (servedOf(name, version) === undefined) put(name, version, { state: 'failed', isExcused });
    },
    setAnswering(served, isAnswering) {
      if (isAnswering) silent.delete(served);
      else silent.add(served);
    },
    remove(name, version) {
      const before = servedOf(name, version);
      const entries = new Map(models.get(name)?.entries);
      entries.delete(version);
      keep(name, entries);
      return before;
    },
  };
}

function isCancellation(failed: unknown): boolean {
  return failed instanceof NimifyError && failed.code === 'CANCELLED';
}

/** The newest that takes requests: one that is still loading, or has failed, hides no older one. */
function answering({ newestFirst }: Versions): Entry | undefined {
  for (const entry of newestFirst) {
    if (entry.state === 'loaded' && takesRequests(entry.served.model.state)) return entry;
  }
  return newestFirst[0];
}

function unavailable(name: string, version: string | undefined): NimifyError {
  const what =
    version === undefined ? 'has no available versions' : `version ${version} is not at ready state`;
  return new NimifyError(
    'MODEL_NOT_READY',
    `Request for unknown model: '${name}' ${what}; it could not be loaded, and the repository's index says why`,
  );
}

/** Clients of other servers match on the words "Request for unknown model". */
function unknownModel(name: string, version: string | undefined, known: readonly string[]): NimifyError {
  const what = version === undefined ? 'is not found' : `version ${version} is not found`;
  const listed = known.slice(0, 20).join(', ') + (known.length > 20 ? ', ...' : '');
  const served = version === undefined ? 'served models' : 'served versions';
  return new NimifyError(
    'MODEL_NOT_FOUND',
    `Request for unknown model: '${name}' ${what}; ${served}: ${listed}`,
    {
      details: {
        where: version === undefined ? 'model' : 'version',
        expected: known.slice(0, 20),
        got: version ?? name,
      },
    },
  );
}
