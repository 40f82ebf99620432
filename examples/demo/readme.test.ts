import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const demo = import.meta.dirname;
const readme = readFileSync(join(demo, 'README.md'), 'utf8');
const names = readdirSync(demo, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'train')
  .map((entry) => entry.name);

/** Figures of metrics.json that the README tells in words. */
const IN_WORDS = new Set(['vocabulary', 'temperature', 'trained_on', 'mean_top_probability']);

describe.each(names)('README.md on %s', (name) => {
  const metrics: unknown = JSON.parse(readFileSync(join(demo, name, 'metrics.json'), 'utf8'));

  it('shows the figures of metrics.json, all of them and no other', () => {
    const published = tablesOf(name).flatMap((line) =>
      line.map(Number).filter((cell) => !Number.isNaN(cell)),
    );
    const measured = figures(metrics);
    expect(published.length).toBeGreaterThan(0);
    expect(published.filter((figure) => !measured.includes(figure) && !isDerived(name, figure))).toEqual([]);
    expect(measured.filter((figure) => !published.includes(figure))).toEqual([]);
  });

  it('names the model with its size', () => {
    const [, size = '', unit = ''] =
      new RegExp(`^\\| \\[${name}\\].* ([\\d.]+) (kB|MB) \\|$`, 'm').exec(readme) ?? [];
    const sizeBytes = statSync(join(demo, name, 'model.onnx')).size;
    expect((Number(size) * (unit === 'MB' ? 1e6 : 1e3)) / sizeBytes).toBeCloseTo(1, 1);
  });
});

it('README.md names every wrong answer of langid', () => {
  const { everyday } = JSON.parse(readFileSync(join(demo, 'langid/metrics.json'), 'utf8'));
  expect(everyday.wrong.length).toBeGreaterThan(0);
  for (const { text, is, answered } of everyday.wrong) {
    expect(readme).toContain(`| ${text} | ${is} | ${answered} |`);
  }
});

/** The data rows of the model's generated tables. */
function tablesOf(name: string): string[][] {
  const blocks = readme.matchAll(new RegExp(`<!-- table: ${name} \\w+ -->\\n(.*?)<!-- end -->`, 'gs'));
  return [...blocks].flatMap(([, table = '']) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  );
}

function figures(value: unknown, key = ''): number[] {
  if (typeof value === 'number') return IN_WORDS.has(key) ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => figures(inner, name));
}

/** Row heads that are numbers, and the four directions of digits' 360 images. */
function isDerived(name: string, figure: number): boolean {
  return (name === 'langid' && figure === 2) || (name === 'digits' && figure === 4 * 360);
}
