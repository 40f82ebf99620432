import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { TensorConstructor } from 'onnxruntime-node';
import { binaryFolder, findPackage } from './package.ts';
import { refuseTelemetry } from './runtime.ts';

/**
 * The native add-on beneath onnxruntime-node's API, ready for sessions. That API makes the same calls, but each in a
 * `setImmediate` of its own and behind promises, so that no answer is there before its call returns; and its thirty files
 * take longer to load than a small model.
 */
export type Binding = typeof import('onnxruntime-node/dist/binding.js')['binding'];

/** The version whose add-on is known. It is no public API, so of any other version only that is used. */
const KNOWN_VERSION = '1.30.0';

const LOG_FATAL = 4;

/** What the add-on reads of a tensor, and makes of what a run gives. */
export class PlainTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
  readonly location = 'cpu';

  constructor(type: string, data: unknown, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

let known: Binding | undefined;

/** The add-on; undefined where it is not the one that is known. */
export function loadBinding(
  load: () => unknown = requireBinding,
  version: () => string = () => findPackage().version,
): Binding | undefined {
  if (known !== undefined && load === requireBinding) return known;
  try {
    if (version() !== KNOWN_VERSION) return undefined;
    refuseTelemetry();
    const loaded = load();
    if (!isKnown(loaded)) return undefined;
    loaded.initOrtOnce(LOG_FATAL, PlainTensor as unknown as TensorConstructor, isMainThread);
    if (load === requireBinding) known = loaded;
    return loaded;
  } catch {
    return undefined; // the file is not where it was
  }
}

function requireBinding(): unknown {
  return createRequire(import.meta.url)(join(binaryFolder(), 'onnxruntime_binding.node'));
}

function isKnown(loaded: unknown): loaded is Binding {
  const { InferenceSession, initOrtOnce } = (loaded ?? {}) as Partial<Binding>;
  const methods = InferenceSession?.prototype as Record<string, unknown> | undefined;
  return (
    typeof initOrtOnce === 'function' &&
    ['loadModel', 'run', 'dispose'].every((name) => typeof methods?.[name] === 'function')
  );
}
