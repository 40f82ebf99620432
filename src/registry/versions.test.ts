import { describe, expect, it } from 'vitest';
import type { ModelState } from '../model/contract.ts';
import type { ServedModel } from './contract.ts';
import { answeringVersions, byNameAndVersion, compareVersions } from './versions.ts';

const served = (name: string, version: string, state: ModelState = 'ready') =>
  ({ name, version, model: { state } }) as ServedModel;

describe('versions', () => {
  it('are ordered as numbers, after what is none', () => {
    expect(['10', '9', 'beta', '1.5', 'alpha'].sort(compareVersions)).toEqual([
      ...['alpha', 'beta', '1.5', '9', '10'],
    ]);
  });

  it('are ordered below their model, which may have none', () => {
    const all = [{ name: 'b' }, { name: 'a', version: '10' }, { name: 'a', version: 'beta' }, { name: 'a' }];
    expect(all.sort(byNameAndVersion).map(({ name, version = '' }) => name + version)).toEqual([
      ...['a', 'abeta', 'a10', 'b'],
    ]);
  });

  it('answer where they are the newest of their model that takes requests, or else the newest', () => {
    const models = [
      ...[served('a', '1'), served('a', '2')],
      ...[served('b', '1', 'degraded'), served('b', '2', 'failed')],
      ...[served('c', '1', 'failed'), served('c', '2', 'draining')],
    ];
    expect(answeringVersions(models).map(({ name, version }) => name + version)).toEqual(['a2', 'b1', 'c2']);
    expect(answeringVersions([])).toEqual([]);
  });
});
