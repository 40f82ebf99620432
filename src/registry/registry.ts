import { NimifyError } from '../base/errors/nimify-error.ts';
import { takesRequests } from '../model/contract.ts';
import type { InferResponse } from '../model/request.ts';
import { validateRequest } from '../model/validate.ts';
import type { Registry, ServedModel } from './contract.ts';
import { byNameAndVersion, compareVersions } from './versions.ts';

/** What is served under a name and version, or is on its way there. */
type Entry = { readonly state: 'loading' } | { readonly state: 'loaded'; readonly served: ServedModel };

/** All versions of a name, and in their order: the newest is looked up by every request that names none. */
interface Versions {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly newestFirst: readonly Entry[];
}

export interface MutableRegistry extends Registry {
  /** Announces a model that is being loaded: until `add` the registry is not ready. */
  expect(name: string, version: string): void;
  add(served: ServedModel): void;
}

export function createRegistry(): MutableRegistry {
  const models = new Map<string, Versions>();
  /** Models without a self-test that have answered a client since. */
  const shown = new WeakSet<ServedModel>();
  let draining = false;

  function put(name: string, version: string, entry: Entry): void {
    const entries = new Map(models.get(name)?.entries).set(version, entry);
    const inOrder = [...entries].sort(([a], [b]) => compareVersions(b, a));
    models.set(name, { entries, newestFirst: inOrder.map(([, each]) => each) });
  }

  function* loaded(): Generator<ServedModel> {
    for (const { entries } of models.values()) {
      for (const entry of entries.values()) if (entry.state === 'loaded') yield entry.served;
    }
  }

  function find(name: string, version?: string): ServedModel {
    const versions = models.get(name);
    if (versions === undefined) throw unknownModel(name, undefined, [...models.keys()]);
    const entry = version === undefined ? answering(versions) : versions.entries.get(version);
    if (entry === undefined) throw unknownModel(name, version, [...versions.entries.keys()]);
    if (entry.state === 'loading') {
      throw new NimifyError('MODEL_NOT_READY', `Model '${name}' is still loading; try again shortly`, {
        retryAfterMs: 1000,
      });
    }
    return entry.served;
  }

  function isModelReady(served: ServedModel): boolean {
    return takesRequests(served.model.state) && (served.isUntested !== true || shown.has(served));
  }

  async function noteFirst(answer: Promise<InferResponse>, served: ServedModel): Promise<InferResponse> {
    const response = await answer;
    shown.add(served);
    return response;
  }

  return {
    list: () => [...loaded()].sort(byNameAndVersion),
    find,
    isReady() {
      if (draining || models.size === 0) return false;
      for (const { entries } of models.values()) {
        for (const entry of entries.values()) {
          if (entry.state === 'loading' || !isModelReady(entry.served)) return false;
        }
      }
      return true;
    },
    isModelReady,
    // No async function: a refusal costs no promise of its own, and the model's promise is passed on as it is.
    infer(request, context) {
      try {
        const served = find(request.model, request.version);
        validateRequest(served.model.signature, request);
        const answer = served.model.infer(request, context);
        return served.isUntested === true && !shown.has(served) ? noteFirst(answer, served) : answer;
      } catch (refused) {
        return Promise.reject(refused);
      }
    },
    inferNow(request, context) {
      const served = find(request.model, request.version);
      const { model } = served;
      if (model.inferNow === undefined) return undefined;
      validateRequest(model.signature, request);
      const answer = model.inferNow(request, context);
      if (answer !== undefined && served.isUntested === true) shown.add(served);
      return answer;
    },
    startDraining() {
      draining = true;
    },
    async close(options) {
      draining = true;
      const closing = [...loaded()].map((served) => served.model.close(options));
      models.clear();
      await Promise.all(closing);
    },
    expect: (name, version) => put(name, version, { state: 'loading' }),
    add: (served) => put(served.name, served.version, { state: 'loaded', served }),
  };
}

/** The newest that takes requests: one that is still loading, or has failed, hides no older one. */
function answering({ newestFirst }: Versions): Entry | undefined {
  for (const entry of newestFirst) {
    if (entry.state === 'loaded' && takesRequests(entry.served.model.state)) return entry;
  }
  return newestFirst[0];
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
