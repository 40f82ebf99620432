import type { IndexEntry } from '../registry/live/contract.ts';
import { byNameAndVersion } from '../registry/versions.ts';

/**
 * The repository's index of several processes as that of one: a model is ready where it is so in all; otherwise the
 * first says why it is not.
 */
export function joinIndexes(all: readonly (readonly IndexEntry[])[]): readonly IndexEntry[] {
  const [only] = all;
  if (only === undefined || all.length === 1) return only ?? [];
  const entries = new Map<string, IndexEntry[]>();
  for (const entry of all.flat()) {
    const key = JSON.stringify([entry.name, entry.version]);
    entries.set(key, [...(entries.get(key) ?? []), entry]);
  }
  return Array.from(entries.values(), (each) => joined(each, all.length)).sort(byNameAndVersion);
}

function joined(entries: readonly IndexEntry[], processes: number): IndexEntry {
  const [first] = entries as [IndexEntry, ...IndexEntry[]];
  const unready = entries.find(({ state }) => state !== 'READY');
  if (unready !== undefined) return unready;
  if (entries.length < processes) return { ...first, state: 'LOADING', reason: 'not in all processes yet' };
  return entries.find(({ reason }) => reason !== '') ?? first;
}
