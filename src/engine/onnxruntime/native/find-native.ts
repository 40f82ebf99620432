import { toNimifyError } from '../../../base/errors/nimify-error.ts';
import { userCacheFolder } from '../../../base/util/cache-folder.ts';
import { createRunPlaces, placesIn, poolThreads, type RunPlaces } from '../../host/run-places.ts';
import { createProofCache, proofKey, prove, proveUnlessKnown } from './known-proof.ts';
import { loadLibrary } from './library.ts';
import { proveLibrary } from './self-test.ts';

/** Whether models can be run through the C API in this process. */
export type NativeVerdict =
  | { readonly ok: true; readonly places: RunPlaces }
  | { readonly ok: false; readonly reason: string; readonly cause: unknown };

let verdict: Promise<NativeVerdict> | undefined;

/** Tries it once in the life of the process, and makes the self-test once on a machine. */
export function findNative(): Promise<NativeVerdict> {
  verdict ??= tryOut(proveUnlessKnown);
  return verdict;
}

/** Makes the self-test whatever is known of it. */
export function findNativeAnew(): Promise<NativeVerdict> {
  verdict = tryOut(prove);
  return verdict;
}

async function tryOut(proveWith: typeof proveUnlessKnown): Promise<NativeVerdict> {
  const threads = poolThreads();
  try {
    const key = await proofKey(loadLibrary().path);
    await proveWith(proveLibrary, { cache: createProofCache(userCacheFolder()), key });
    return { ok: true, places: createRunPlaces(placesIn(threads)) };
  } catch (thrown) {
    const { message, cause } = toNimifyError(thrown);
    return { ok: false, reason: message, cause };
  }
}
