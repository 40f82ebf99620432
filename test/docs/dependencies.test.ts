import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGES } from '../architecture.table.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

describe('docs/dependencies.md', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const [, runtime = '', development = ''] = readFileSync(join(ROOT, 'docs/dependencies.md'), 'utf8').split(
    '\n## ',
  );

  it('gives a reason for each package of package.json, and for no other', () => {
    expect(
      rows(runtime)
        .map(([name]) => name)
        .sort(),
    ).toEqual(Object.keys(manifest.dependencies).sort());
    expect(
      rows(development)
        .map(([name]) => name)
        .sort(),
    ).toEqual(Object.keys(manifest.devDependencies).sort());
  });

  it('names the folders that the architecture table names', () => {
    const folders = rows(runtime).map(([name = '', where = '']) => [name, where.split(', ')]);
    expect(Object.fromEntries(folders)).toEqual(PACKAGES);
  });
});

/** Cells of each table row, without the back-ticks. */
function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}
