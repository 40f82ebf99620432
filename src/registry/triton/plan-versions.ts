import type { ConfigVersionPolicy } from '../../base/triton/model-config.ts';
import type { PlanNotes } from './plan.ts';

/**
 * Those of the versions that are to be served, in ascending order.
 * @param policy default: the latest one
 */
export function chooseVersions(
  policy: ConfigVersionPolicy | undefined,
  available: readonly string[],
): readonly string[] {
  const sorted = [...available].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  if (policy?.all !== undefined) return sorted;
  if (policy?.specific !== undefined) {
    const wanted = new Set((policy.specific.versions ?? []).map(String));
    return sorted.filter((version) => wanted.has(version));
  }
  return sorted.slice(-(policy?.latest?.num_versions || 1));
}

/** Versions that the policy names and that are not there. */
export function missingVersions(
  policy: ConfigVersionPolicy | undefined,
  available: readonly string[],
): readonly string[] {
  return (policy?.specific?.versions ?? []).map(String).filter((version) => !available.includes(version));
}

export function planVersions(notes: PlanNotes): void {
  const { version_policy: policy } = notes.text.config;
  if (policy === undefined) return;
  if (policy.all !== undefined) notes.honour('version_policy.all', 'every version that is there');
  else if (policy.specific !== undefined) {
    const { versions = [] } = policy.specific;
    const bad = versions.find((version) => version < 1);
    if (versions.length === 0) notes.refuse('version_policy.specific', 'no version is named');
    else if (bad !== undefined) {
      notes.refuse('version_policy.specific', `expected versions of 1 and more, got ${bad}`);
    } else notes.honour('version_policy.specific', `versions ${versions.join(', ')}`);
  } else {
    const count = policy.latest?.num_versions || 1;
    notes.honour('version_policy', count === 1 ? 'the latest version' : `the latest ${count} versions`);
  }
}
