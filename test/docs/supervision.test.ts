import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leavesOf } from '../../src/base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from '../../src/base/config/options.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/supervision.md'), 'utf8');

function named(pattern: RegExp): readonly string[] {
  return [...new Set(Array.from(page.matchAll(pattern), ([, name = '']) => name))];
}

describe('docs/supervision.md', () => {
  it('names settings that there are', () => {
    const known = [SERVER_OPTIONS, MODEL_OPTIONS].flatMap((tree) => leavesOf(tree).map(({ path }) => path));
    const settings = named(/`((?:server|engine|log)\.\w+)`/g);
    expect(settings.length).toBeGreaterThan(5);
    expect(settings.filter((path) => !known.includes(path))).toEqual([]);
  });

  it('names metrics that there are', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const sources = files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(join(ROOT, 'src', file), 'utf8'))
      .join('\n');
    const metrics = named(/`(nimify_\w+)`/g);
    expect(metrics.length).toBeGreaterThan(4);
    expect(metrics.filter((name) => !sources.includes(`'${name.replace(/_total$/, '')}'`))).toEqual([]);
  });
});
