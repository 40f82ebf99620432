import { createRequire } from 'node:module';
import type { Runtime } from './runtime.ts';

/**
 * The native add-on beneath onnxruntime-node's API. That API makes the same calls, but each in a `setImmediate` of its
 * own and behind promises, so that no answer is there before its call returns.
 */
export type Binding = BindingModule['binding'];

type BindingModule = typeof import('onnxruntime-node/dist/binding.js');

/** The version whose add-on is known. It is no public API, so of any other version only that is used. */
const KNOWN_VERSION = '1.30.0';

/**
 * The add-on, ready for sessions; undefined where it is not the one that is known.
 *
 * @param load gives the module that holds it
 */
export function loadBinding(
  { env }: Pick<Runtime, 'env'>,
  load: () => BindingModule = requireBinding,
): Binding | undefined {
  if (env.versions.node !== KNOWN_VERSION) return undefined;
  try {
    const loaded = load();
    if (!isKnown(loaded)) return undefined;
    loaded.initOrt();
    return loaded.binding;
  } catch {
    return undefined; // the file is not where it was
  }
}

function requireBinding(): BindingModule {
  return createRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as BindingModule;
}

function isKnown(loaded: unknown): boolean {
  const { binding, initOrt } = (loaded ?? {}) as { binding?: Partial<Binding>; initOrt?: unknown };
  const methods = binding?.InferenceSession?.prototype as Record<string, unknown> | undefined;
  return (
    typeof initOrt === 'function' &&
    ['loadModel', 'run', 'dispose'].every((name) => typeof methods?.[name] === 'function')
  );
}
