import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_WORDS,
  FREE_FOR_ALL,
  GENERATED,
  LAYERS,
  MAX_LINES,
  PACKAGES,
  TEST_PACKAGES,
  WALLS,
} from './architecture.table.ts';

const SRC = resolve(import.meta.dirname, '../src');

interface SourceFile {
  /** Below src/, such as `model/contract.ts`. */
  readonly path: string;
  readonly text: string;
  /** Files below src/ that it imports, in the same form. */
  readonly files: readonly string[];
  /** Packages that it imports, without a subpath. */
  readonly packages: readonly string[];
}

const sources = readSources();
const written = sources.filter(({ path }) => !path.startsWith(GENERATED));

describe('architecture', () => {
  it('finds the sources it is about', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(find('registry/registry.ts').files).toContain('registry/contract.ts');
  });

  it('places every file in a layer', () => {
    expect(sources.filter(({ path }) => layerOf(path) === undefined).map(({ path }) => path)).toEqual([]);
  });

  it('imports downwards only', () => {
    const breaches = sources.flatMap((source) =>
      source.files
        .filter((target) => !mayImport(source.path, target))
        .map((target) => `${source.path} imports ${target}`),
    );
    expect(breaches).toEqual([]);
  });

  it('names a third-party package only in its folders', () => {
    const breaches = sources.flatMap((source) =>
      source.packages
        .filter((name) => !mayName(source.path, name))
        .map((name) => `${source.path} imports ${name}`),
    );
    expect(breaches).toEqual([]);
  });

  it('imports built-in modules by their node: names', () => {
    const bare = sources.flatMap((source) =>
      source.packages
        .filter((name) => builtinModules.includes(name))
        .map((name) => `${source.path}: ${name}`),
    );
    expect(bare).toEqual([]);
  });

  it('has no cycles between files', () => {
    expect(findCycles(sources)).toEqual([]);
  });

  it('has files that can be read in one sitting', () => {
    const long = written
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  it('has file names that say what is inside', () => {
    expect(written.filter(({ path }) => EMPTY_WORDS.test(baseName(path))).map(({ path }) => path)).toEqual(
      [],
    );
    expect(
      written.filter(({ path }) => !/^[a-z0-9.-]+\.ts$/.test(baseName(path))).map(({ path }) => path),
    ).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it('tell up from down', () => {
    expect(mayImport('registry/registry.ts', 'model/contract.ts')).toBe(true);
    expect(mayImport('model/contract.ts', 'registry/registry.ts')).toBe(false);
    expect(mayImport('base/errors/table.ts', 'base/tensor/tensor.ts')).toBe(false);
    expect(mayImport('base/tensor/owner.ts', 'base/util/clock.ts')).toBe(true);
    expect(mayImport('engine/host/host.ts', 'store/contract.ts')).toBe(false);
    expect(mayImport('policy/cache/cache.ts', 'policy/retry/retry.ts')).toBe(false);
    expect(mayImport('protocol/grpc/server.ts', 'protocol/http/deps.ts')).toBe(false);
    expect(mayName('cli/serve.ts', 'onnxruntime-node')).toBe(false);
    expect(mayName('base/tensor/tensor.test.ts', 'vitest')).toBe(true);
    expect(mayName('cli/predict/predict.test.ts', 'sharp')).toBe(true);
    expect(mayName('cli/predict/predict.ts', 'sharp')).toBe(false);
    expect(mayName('base/tensor/tensor.ts', 'vitest')).toBe(false);
  });

  it('see a cycle', () => {
    const file = (path: string, ...files: string[]): SourceFile => ({ path, text: '', files, packages: [] });
    expect(findCycles([file('a', 'b'), file('b', 'c'), file('c', 'b')])).toEqual(['b -> c -> b']);
  });

  it('see every form of import', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import './c.ts';",
      'export {\n  d,\n} from "./d.ts";',
      "const e = await import('./e.ts');",
      "const f = new URL('./f.ts', import.meta.url);",
      "const g = createRequire(import.meta.url).resolve('g/package.json');",
      " * import { no } from './comment.ts';",
    ].join('\n');
    expect(specifiers(text)).toEqual([
      './a.ts',
      './b.ts',
      './c.ts',
      './d.ts',
      './e.ts',
      './f.ts',
      'g/package.json',
    ]);
  });
});

function readSources(): SourceFile[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const absolute = join(entry.parentPath, entry.name);
      const text = readFileSync(absolute, 'utf8');
      const imports = specifiers(text);
      return {
        path: relative(SRC, absolute),
        text,
        files: imports
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => relative(SRC, resolve(dirname(absolute), specifier)))
          .filter((path) => !path.startsWith('..')),
        packages: imports
          .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
          .map(packageName),
      };
    });
}

/** Module specifiers, in the order of the text. Biome's formatting makes every statement start its line. */
function specifiers(text: string): string[] {
  const statement = /^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*['"]([^'"]+)['"]/gm;
  const dynamic =
    /^(?!\s*(?:\*|\/\/)).*?\b(?:import|import\.meta\.resolve|createRequire\([^)]*\)(?:\.resolve)?)\(\s*['"]([^'"]+)['"]/gm;
  const url = /^(?!\s*(?:\*|\/\/)).*?\bnew URL\(\s*['"](\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url/gm;
  return [statement, dynamic, url]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .sort((a, b) => a.index - b.index)
    .map((match) => match[1] as string);
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function mayImport(from: string, to: string): boolean {
  if (FREE_FOR_ALL.includes(to)) return true;
  const source = layerOf(from);
  const target = layerOf(to);
  if (source === undefined || target === undefined) return false;
  if (source.part !== target.part) return target.row < source.row;
  if (!WALLS.includes(source.part)) return true;
  const [ownFolder, targetFolder] = [subfolder(from, source.part), subfolder(to, source.part)];
  return targetFolder === undefined || ownFolder === undefined || ownFolder === targetFolder;
}

/** A test may also use what its part of src/ uses elsewhere: to make the picture that is then read, say. */
function mayName(path: string, name: string): boolean {
  const isTest = path.endsWith('.test.ts');
  if (isTest && TEST_PACKAGES.includes(name)) return true;
  const folders = PACKAGES[name] ?? [];
  return folders.some((folder) => path.startsWith(`${isTest ? folder.split('/')[0] : folder}/`));
}

function layerOf(path: string): { readonly part: string; readonly row: number } | undefined {
  for (const [row, parts] of LAYERS.entries()) {
    const part = parts.find((name) => path === name || path.startsWith(`${name}/`));
    if (part !== undefined) return { part, row };
  }
  return undefined;
}

/** `retry` of `policy/retry/retry.ts`; undefined for a file that lies in the part itself. */
function subfolder(path: string, part: string): string | undefined {
  const rest = path.slice(part.length + 1).split('/');
  return rest.length > 1 ? rest[0] : undefined;
}

/** Every cycle once, as `a -> b -> a`, found by depth-first search. */
function findCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of byPath.get(path)?.files ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return cycles;
}

function find(path: string): SourceFile {
  const source = sources.find((candidate) => candidate.path === path);
  if (source === undefined) throw new Error(`no such source: ${path}`);
  return source;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
