import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CodeCache } from './code-cache.ts';
import { createScriptLoader } from './script-loader.ts';

let folder: string;
let kept: Map<string, Buffer>;
let read: (Buffer | undefined)[];
let cache: CodeCache;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-scripts-'));
  kept = new Map();
  read = [];
  cache = {
    read(key) {
      read.push(kept.get(key));
      return kept.get(key);
    },
    write: (key, code) => void kept.set(key, code),
  };
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(path, source);
  return path;
}

const load = (path: string, purpose = 'serve') => createScriptLoader(cache, purpose).load(path);

describe('createScriptLoader', () => {
  it('runs scripts once each, with those they require, and modules of Node', () => {
    mkdirSync(join(folder, 'chunks'));
    write('chunks/one.cjs', "exports.main = require('../main.cjs'); exports.sep = require('node:path').sep;");
    const path = write(
      'main.cjs',
      "exports.early = 1; exports.one = require('./chunks/one.cjs'); exports.again = require('./chunks/one.cjs'); exports.file = __filename; exports.folder = __dirname;",
    );
    const main = load(path) as Record<string, never> & { one: { main: unknown; sep: string } };
    expect(main).toMatchObject({ file: path, folder });
    expect(main.one.main).toBe(main);
    expect(main.one).toBe(main.again);
    expect(main.one.sep).toMatch(/[\\/]/);
  });

  it('keeps the code of what it has loaded, and starts from that the next time', () => {
    const path = write('main.cjs', 'module.exports = () => 3;');
    const first = createScriptLoader(cache, 'serve');
    first.load(path);
    first.keepNew();
    expect(kept.size).toBe(1);
    const second = createScriptLoader(cache, 'serve');
    expect((second.load(path) as () => number)()).toBe(3);
    expect(read).toEqual([undefined, [...kept.values()][0]]);
    kept.clear();
    second.keepNew();
    expect(kept.size).toBe(0);
  });

  it('keeps code anew where much more was compiled since', () => {
    const body = Array.from(
      { length: 200 },
      (_, index) => `function f${index}(a) { return [a, ${index}, a + 1]; }`,
    );
    const path = write(
      'main.cjs',
      `${body.join('\n')}\nexports.all = () => [${body.map((_, index) => `f${index}(1)`)}];`,
    );
    const first = createScriptLoader(cache, 'serve');
    first.load(path);
    first.keepNew();
    const [early] = kept.values();
    const second = createScriptLoader(cache, 'serve');
    const { all } = second.load(path) as { all: () => unknown };
    second.keepGrown();
    expect([...kept.values()]).toEqual([early]);
    all();
    second.keepGrown();
    expect([...kept.values()][0]!.length).toBeGreaterThan(early!.length);
  });

  it('takes code of another source of the same length, of another purpose, or of no V8 for none', () => {
    const path = write('main.cjs', 'module.exports = 3;');
    const first = createScriptLoader(cache, 'serve');
    first.load(path);
    first.keepNew();
    const [key] = kept.keys();
    kept.set(key!, Buffer.from('garbage'));
    expect(load(path)).toBe(3);
    write('main.cjs', 'module.exports = 4;');
    expect(load(path)).toBe(4);
    load(path, 'other');
    expect(read.slice(2)).toEqual([undefined, undefined]);
  });

  it('names file and line in the stack of what is thrown', () => {
    const path = write('main.cjs', '\nexports.fail = () => { throw new Error("here"); };');
    const { fail } = load(path) as { fail: () => never };
    expect(fail).toThrow(expect.objectContaining({ stack: expect.stringContaining(`${path}:2:`) }));
  });
});
