import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Registry } from '../registry/contract.ts';

/**
 * Whether the version, or the newest, answers requests; one that is still loading does not.
 * @throws NimifyError MODEL_NOT_FOUND
 */
export function isModelReady(registry: Registry, name: string, version: string | undefined): boolean {
  try {
    return registry.isModelReady(registry.find(name, version));
  } catch (refused) {
    if (refused instanceof NimifyError && refused.code === 'MODEL_NOT_READY') return false;
    throw refused;
  }
}

/**
 * The same, and false for a model that is not there: what a client hears that waits for a model to come, or to go, and
 * has no other answer than this one.
 */
export function isThereAndReady(registry: Registry, name: string, version: string | undefined): boolean {
  try {
    return isModelReady(registry, name, version);
  } catch (refused) {
    if (refused instanceof NimifyError && refused.code === 'MODEL_NOT_FOUND') return false;
    throw refused;
  }
}
