import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Readiness, Registry } from '../registry/contract.ts';

/**
 * Whether the version, or the newest, answers requests; one that is still loading does not.
 * @throws NimifyError MODEL_NOT_FOUND
 */
export function modelReadiness(registry: Registry, name: string, version: string | undefined): Readiness {
  try {
    return registry.readinessOf(registry.find(name, version));
  } catch (refused) {
    if (refused instanceof NimifyError && refused.code === 'MODEL_NOT_READY') return 'unready';
    throw refused;
  }
}

/** Whether it answers at all; undefined where there is no such model, for whoever asks before it comes or after it has gone. */
export function readinessOf(
  registry: Registry,
  name: string,
  version: string | undefined,
): boolean | undefined {
  try {
    return modelReadiness(registry, name, version) !== 'unready';
  } catch (refused) {
    if (refused instanceof NimifyError && refused.code === 'MODEL_NOT_FOUND') return undefined;
    throw refused;
  }
}
