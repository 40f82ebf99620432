import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildConfigSchema } from '../../src/base/config/json-schema.ts';
import { envNameOf, type Leaf, leavesOf, type OptionTree } from '../../src/base/config/option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS, START_OPTIONS } from '../../src/base/config/options.ts';
import type { Problem } from '../../src/base/config/problem.ts';
import { readFileSettings } from '../../src/base/config/read-file.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/configuration.md');
const SCHEMA = join(ROOT, 'schema/nimify.schema.json');

const CONFIG_BLOCK = /^```yaml\n([\s\S]*?)^```$/gm;

describe('what is generated', () => {
  it('docs/configuration.md holds the tables of options as they are (to write it: vitest run test/docs/configuration.test.ts -u)', async () => {
    const page = readFileSync(PAGE, 'utf8');
    const parts = /^([\s\S]*<!-- options -->\n)[\s\S]*(<!-- end of options -->\n[\s\S]*)$/.exec(page);
    expect(parts, 'the markers around the tables').not.toBeNull();
    await expect(`${parts?.[1]}${tables()}${parts?.[2]}`).toMatchFileSnapshot(PAGE);
  });

  it('the examples of docs/configuration.md are configurations that nimify takes', async () => {
    const blocks = [...readFileSync(PAGE, 'utf8').matchAll(CONFIG_BLOCK)];
    expect(blocks.length).toBeGreaterThan(0);
    for (const { 1: yaml = '' } of blocks) {
      const problems: Problem[] = [];
      await readFileSettings(yaml, 'docs/configuration.md', problems);
      expect(problems).toEqual([]);
    }
  });

  it('schema/nimify.schema.json is the schema of this version (to write it: nimify config --schema)', () => {
    expect(JSON.parse(readFileSync(SCHEMA, 'utf8'))).toEqual(buildConfigSchema());
  });
});

function tables(): string {
  return [
    '\n## Server and log\n\n',
    table(SERVER_OPTIONS),
    '\n## Models\n\nUnder `defaults` for all models, or in an entry of `models` for that one.\n\n',
    table(MODEL_OPTIONS),
    '\n## What is read and served\n\nThese have no key in the file.\n\n',
    table(START_OPTIONS),
    '\n',
  ].join('');
}

function table(tree: OptionTree): string {
  const rows = leavesOf(tree).map((leaf) => row(...cellsOf(leaf)));
  return [
    row('Key', 'Takes', 'Default', 'Variables', 'Flag', 'Meaning'),
    row(...Array(6).fill('---')),
    ...rows,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function cellsOf({ path, option }: Leaf): readonly string[] {
  return [
    `\`${path}\``,
    option.kind.name.replaceAll('|', '\\|'),
    option.default === undefined ? '' : `\`${option.default}\``,
    option.env.map((env) => `\`${envNameOf(env)}\``).join(', '),
    option.flag === undefined ? '' : `\`${option.flag}\``,
    option.doc,
  ];
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
