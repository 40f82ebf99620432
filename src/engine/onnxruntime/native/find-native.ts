import { toNimifyError } from '../../../base/errors/nimify-error.ts';
import { createRunPlaces, placesIn, poolThreads, type RunPlaces } from '../../host/run-places.ts';
import { proveLibrary } from './self-test.ts';

/** Whether models can be run through the C API in this process. */
export type NativeVerdict =
  | { readonly ok: true; readonly places: RunPlaces }
  | { readonly ok: false; readonly reason: string; readonly cause: unknown };

let verdict: Promise<NativeVerdict> | undefined;

/** Tries it once in the life of the process. */
export function findNative(): Promise<NativeVerdict> {
  verdict ??= tryOut();
  return verdict;
}

async function tryOut(): Promise<NativeVerdict> {
  const threads = poolThreads();
  try {
    await proveLibrary();
    return { ok: true, places: createRunPlaces(placesIn(threads)) };
  } catch (thrown) {
    const { message, cause } = toNimifyError(thrown);
    return { ok: false, reason: message, cause };
  }
}
