import { invalidInput, NimifyError } from '../../../base/errors/nimify-error.ts';
import type { Registry, ServedModel } from '../../../registry/contract.ts';

/**
 * The model that a request means. A name may be left out where only one model is served.
 * @throws NimifyError INVALID_INPUT (several are served and none was named), MODEL_NOT_FOUND, MODEL_NOT_READY
 */
export function chooseModel(registry: Registry, name?: string, version?: string): ServedModel {
  return registry.find(name ?? onlyName(registry), version);
}

function onlyName(registry: Registry): string {
  const names = [...new Set(registry.list().map((served) => served.name))];
  const [first] = names;
  if (first === undefined) {
    throw new NimifyError('MODEL_NOT_READY', 'model: no model has been loaded yet; try again shortly', {
      details: { where: 'model' },
      retryAfterMs: 1000,
    });
  }
  if (names.length === 1) return first;
  const listed = names.slice(0, 20).join(', ') + (names.length > 20 ? ', ...' : '');
  throw invalidInput(
    `model: expected the name of one of the served models, got none; add "model": one of ${listed}`,
    { where: 'model', expected: names.slice(0, 20) },
  );
}
