import { describe, expect, it } from 'vitest';
import { readModelConfig } from '../../base/triton/read-model-config.ts';
import { isVersion } from './layout.ts';
import { chooseVersions, missingVersions } from './plan-versions.ts';

function policy(text: string) {
  return readModelConfig(`version_policy { ${text} }`, 'c').config.version_policy;
}

describe('chooseVersions', () => {
  const there = ['10', '2', '9', '1'];
  it.each([
    ['', ['10']],
    ['latest { }', ['10']],
    ['latest { num_versions: 2 }', ['9', '10']],
    ['latest { num_versions: 9 }', ['1', '2', '9', '10']],
    ['all { }', ['1', '2', '9', '10']],
    ['specific { versions: [ 9, 3, 1 ] }', ['1', '9']],
  ])('by %s', (text, expected) => {
    expect(chooseVersions(policy(text), there)).toEqual(expected);
  });

  it('knows which of the specific ones are missing', () => {
    expect(missingVersions(policy('specific { versions: [ 9, 3 ] }'), there)).toEqual(['3']);
    expect(missingVersions(undefined, there)).toEqual([]);
  });

  it.each([
    ['1', true],
    ['20', true],
    ['0', false],
    ['01', false],
    ['v1', false],
    ['1.5', false],
    ['', false],
  ])('%s is a version: %s', (name, expected) => {
    expect(isVersion(name)).toBe(expected);
  });
});
