import type { Runtime } from './runtime.ts';

/**
 * The native add-on beneath onnxruntime-node's API. That API does the same calls, each in a `setImmediate` of its own
 * and behind promises: 10 to 15 µs that a run of 6 µs feels.
 */
export type Binding = typeof import('onnxruntime-node/dist/binding.js')['binding'];

/** The version whose add-on is known. It is no public API, so of any other version only that is used. */
const KNOWN_VERSION = '1.30.0';

/** The add-on, ready for sessions; undefined where it is not the one that is known. */
export async function loadBinding({ env }: Runtime): Promise<Binding | undefined> {
  if (env.versions.node !== KNOWN_VERSION) return undefined;
  try {
    const { default: loaded } = await import('onnxruntime-node/dist/binding.js');
    if (!isKnown(loaded)) return undefined;
    loaded.initOrt();
    return loaded.binding;
  } catch {
    return undefined; // the file is not where it was
  }
}

function isKnown(loaded: unknown): boolean {
  const { binding, initOrt } = (loaded ?? {}) as { binding?: Partial<Binding>; initOrt?: unknown };
  const methods = binding?.InferenceSession?.prototype as Record<string, unknown> | undefined;
  return (
    typeof initOrt === 'function' &&
    ['loadModel', 'run', 'dispose'].every((name) => typeof methods?.[name] === 'function')
  );
}
