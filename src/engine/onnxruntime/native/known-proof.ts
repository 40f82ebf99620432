import { stat } from 'node:fs/promises';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { SILENT } from '../../../base/telemetry/log.ts';
import { VERSION } from '../../../base/util/version.ts';
import { createMeasurementCache, type MeasurementCache } from '../../host/tuning-cache.ts';
import { FFI_VERSION } from './ffi.ts';

/** The library that a proof holds for, as it was, and who calls it. */
export interface ProofKey {
  readonly path: string;
  /** What changes with its content: time of change cannot be set, as that of writing can. */
  readonly marks: readonly string[];
  /** Of nimify, koffi and Node, and what they run on. */
  readonly versions: readonly string[];
}

/** What became of the self-test in earlier processes. */
export type Proof =
  | 'passed'
  /** So many processes began it, the last at that time, and did not come to its end. */
  | { readonly begun: number; readonly atMs: number };

export type ProofCache = MeasurementCache<Proof, ProofKey>;

export interface ProofDeps {
  readonly cache: ProofCache;
  /** Undefined: nothing is kept. */
  readonly key: ProofKey | undefined;
  /** Default: the system's clock. */
  readonly nowMs?: () => number;
}

/** One may have been ended from outside; two were ended by the test. */
const MOST_BEGUN = 2;
/** The test takes 50 ms: whoever began it a shorter time ago may be about to end it, beside this process. */
const ENDED_AFTER_MS = 2000;

export function createProofCache(folder: string): ProofCache {
  return createMeasurementCache(folder, SILENT, toProof, {
    part: 'native',
    // What is replaced leaves nothing behind.
    nameOf: ({ path, versions }) => [path, versions],
  });
}

/** Undefined where the library cannot be looked at. */
export async function proofKey(path: string): Promise<ProofKey | undefined> {
  const { version, platform, arch } = process;
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return {
      path,
      marks: [dev, ino, size, mtimeNs, ctimeNs].map(String),
      versions: [`nimify ${VERSION}`, `koffi ${FFI_VERSION}`, `node ${version}`, `${platform} ${arch}`],
    };
  } catch {
    return undefined;
  }
}

/**
 * Runs the self-test, unless it has passed on this machine with the very same library. That it begins is noted, so that
 * one that takes the process down does not do so at every start.
 * @throws what the test throws; NimifyError UNSUPPORTED where it has not come to its end in earlier processes
 */
export async function proveUnlessKnown(test: () => Promise<void>, deps: ProofDeps): Promise<void> {
  const { cache, key, nowMs = Date.now } = deps;
  const known = key && (await cache.read(key));
  if (known === 'passed') return;
  if (known === undefined) return prove(test, deps);
  if (Math.abs(nowMs() - known.atMs) < ENDED_AFTER_MS) return prove(test, deps, known);
  if (known.begun >= MOST_BEGUN) {
    throw new NimifyError(
      'UNSUPPORTED',
      `${known.begun} processes ended within the self-test of ONNX Runtime's library; nimify doctor makes it again`,
    );
  }
  await prove(test, deps, { begun: known.begun + 1, atMs: nowMs() });
}

/** Runs it whatever is known, and notes what becomes of it. */
export async function prove(
  test: () => Promise<void>,
  { cache, key, nowMs = Date.now }: ProofDeps,
  begun: Proof = { begun: 1, atMs: nowMs() },
): Promise<void> {
  if (key === undefined) return test();
  await cache.write(key, begun);
  try {
    await test();
  } catch (failed) {
    // It came to its end. Memory may have been short, so that it is made again.
    await cache.write(key, { begun: 0, atMs: 0 });
    throw failed;
  }
  await cache.write(key, 'passed');
}

function toProof(kept: unknown): Proof | undefined {
  if (kept === 'passed') return kept;
  if (typeof kept !== 'object' || kept === null) return undefined;
  const { begun, atMs } = kept as Readonly<Record<string, unknown>>;
  return Number.isSafeInteger(begun) && Number.isSafeInteger(atMs) ? (kept as Proof) : undefined;
}
