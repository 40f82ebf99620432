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

/** The same; undefined where there is no such model, for whoever asks before it comes or after it has gone. */
export function readinessOf(
  registry: Registry,
  name: string,
  version: string | undefined,
): boolean | undefined {
  try {
    return isModelReady(registry, name, version);
  } catch (refused) {
    if (refused instanceof NimifyError && refused.code === 'MODEL_NOT_FOUND') return undefined;
    throw refused;
  }
}
