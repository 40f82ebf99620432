import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, resolve } from 'node:path';
import { constants, Script } from 'node:vm';
import type { CodeCache } from './code-cache.ts';

export interface ScriptLoader {
  /** Runs a CommonJS script, and whatever scripts it requires by a relative path; gives its exports. */
  load(path: string): unknown;
  /** Keeps the code of scripts of which none was kept. */
  keepNew(): void;
  /** The same, and anew where much has been compiled since it was kept. */
  keepGrown(): void;
}

interface Loaded {
  readonly key: string;
  readonly script: Script;
  /** Of the code that is kept; 0: none is. */
  keptBytes: number;
}

/** What V8 has not run by the time it gives its code is not in it, and it is compiled when it is first called. */
const GROWN = 1.05;

const WRAPPER = ['(function (exports, require, module, __filename, __dirname) { ', '\n})'] as const;

type Wrapped = (
  exports: unknown,
  require: (name: string) => unknown,
  module: { exports: unknown },
  filename: string,
  folder: string,
) => void;

/**
 * Loads scripts with the code that V8 made of them at an earlier start: reading them as text and compiling what is
 * called takes longer than all else that a start does in JavaScript. Packages, and what they need, go Node's way.
 * @param purpose scripts that are loaded for different purposes run different parts of themselves
 */
export function createScriptLoader(cache: CodeCache, purpose: string): ScriptLoader {
  const modules = new Map<string, { exports: unknown }>();
  const scripts: Loaded[] = [];

  function load(path: string): unknown {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const run = compile(path).runInThisContext() as Wrapped;
    run(module.exports, requireFrom(path), module, path, dirname(path));
    return module.exports;
  }

  function compile(path: string): Script {
    const source = readFileSync(path);
    const key = keyOf(source, purpose);
    const cachedData = cache.read(key);
    const script = new Script(WRAPPER[0] + source.toString() + WRAPPER[1], {
      filename: path,
      columnOffset: -WRAPPER[0].length,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      ...(cachedData === undefined ? {} : { cachedData }),
    });
    const isKept = cachedData !== undefined && script.cachedDataRejected === false;
    scripts.push({ key, script, keptBytes: isKept ? cachedData.byteLength : 0 });
    return script;
  }

  function requireFrom(path: string): (name: string) => unknown {
    let require: NodeJS.Require | undefined;
    return (name) => {
      if (name.startsWith('.')) return load(resolve(dirname(path), name));
      if (isBuiltin(name)) return process.getBuiltinModule(name);
      require ??= createRequire(path);
      return require(name);
    };
  }

  function keep(one: Loaded): void {
    const code = one.script.createCachedData();
    if (code.byteLength <= one.keptBytes * GROWN) return;
    one.keptBytes = code.byteLength;
    cache.write(one.key, code);
  }

  return {
    load,
    keepNew() {
      for (const one of scripts) if (one.keptBytes === 0) keep(one);
    },
    keepGrown() {
      for (const one of scripts) keep(one);
    },
  };
}

/** V8 refuses code of other versions or flags by itself; of the source it compares nothing but the length. */
function keyOf(source: Buffer, purpose: string): string {
  const { version, arch, execArgv, env } = process;
  const of = `${JSON.stringify([purpose, version, arch, execArgv, env.NODE_OPTIONS ?? ''])}\n`;
  return createHash('sha256').update(of).update(source).digest('hex').slice(0, 32);
}
