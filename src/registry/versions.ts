import { takesRequests } from '../model/contract.ts';
import type { ServedModel } from './contract.ts';

/** Versions are numbers by convention; what is no number sorts below every number. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) {
    return Number(Number.isNaN(y)) - Number(Number.isNaN(x)) || (a < b ? -1 : 1);
  }
  return x - y;
}

interface Named {
  readonly name: string;
  readonly version?: string;
}

/** What stands for a whole model, and has no version, comes before its versions. */
export function byNameAndVersion(a: Named, b: Named): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.version === undefined || b.version === undefined) {
    return Number(b.version === undefined) - Number(a.version === undefined);
  }
  return compareVersions(a.version, b.version);
}

/**
 * Of each model the version that answers where none is asked for: the newest that takes requests, or, where none
 * does, the newest.
 * @param models as `Registry.list` gives them: by name and then version
 */
export function answeringVersions(models: readonly ServedModel[]): readonly ServedModel[] {
  const byName = new Map<string, ServedModel>();
  for (const served of models) {
    const older = byName.get(served.name);
    const isBetter = takesRequests(served.model.state) || !(older && takesRequests(older.model.state));
    if (isBetter) byName.set(served.name, served);
  }
  return [...byName.values()];
}
