/**
 * Joins the modules that the command and its workers load at their start into a few files: `node scripts/bundle.mjs`,
 * which the build runs after the compiler. A file costs Node most of a millisecond to find, read and link, and
 * `nimify serve` would load some hundred of them: joined, they save 70 ms of the 220 to the first answer.
 *
 * These files are scripts (CommonJS), not modules: of scripts V8's code can be kept for the next start on every
 * version of Node (src/cli/launch.ts), and Node's loader of modules need not be set up, in workers neither.
 *
 * The library (`exports` of package.json) stays as the compiler wrote it, a file a module; beside it lie these files.
 * Names and lines are kept, so that a stack trace can be read without its source map.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { rolldown } from 'rolldown';
import { ROOT } from './setup.mjs';

const SRC = join(ROOT, 'src');
const DIST = join(ROOT, 'dist');
const COMMAND = 'cli/main';
const LAUNCH = 'cli/launch';
/**
 * Files by the modules that are their roots, with all that these import without `import()`, unless a file above has
 * it: what is loaded for every command, for `nimify serve` to be ready, and for what it then prints.
 */
const FILES = { command: COMMAND, serve: 'cli/serve/run-server', banner: 'cli/serve/print-banner' };
/** Each in a thread or process of its own; the last is what watches over a server. */
const WORKERS = [
  'engine/onnxruntime/thread-entry',
  'engine/onnxruntime/process-entry',
  'cli/serve/supervise/supervisor-entry',
];

/** Pure JavaScript that every command needs: taken in, with its licence. Everything else stays a package. */
const INLINED = ['commander', 'picocolors'];

/** What is loaded on demand is required, too: of scripts whose code is kept, Node 20 warns at each `import()`. */
const SCRIPT = { format: 'cjs', entryFileNames: '[name].cjs', dynamicImportInCjs: false };

rmSync(join(DIST, 'chunks'), { recursive: true, force: true });
await bundle(COMMAND, {
  ...SCRIPT,
  // As deep as the entry: `import.meta.url` is written for both.
  chunkFileNames: 'chunks/[name].cjs',
  codeSplitting: { groups: [{ debugName: 'start', name: nameFile() }] },
});
for (const name of INLINED) {
  cpSync(join(ROOT, 'node_modules', name, 'LICENSE'), join(DIST, 'chunks', `${name}.LICENSE.txt`));
}
await bundle(LAUNCH, { ...SCRIPT, codeSplitting: false });
// For who starts the command by the name that it has as a module.
writeFileSync(join(DIST, `${COMMAND}.js`), "#!/usr/bin/env node\nimport './launch.cjs';\n");
for (const worker of WORKERS) await bundle(worker, { ...SCRIPT, codeSplitting: false });

async function bundle(entry, output) {
  const build = await rolldown({
    input: { [entry]: join(SRC, `${entry}.ts`) },
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id) && !INLINED.includes(id),
    plugins: [placeOfModule(entry), ...(output.format === 'cjs' ? [lateBuiltins()] : [])],
    onLog(_level, { code, message }) {
      // Of what is loaded at the start, some is loaded on demand by other commands.
      if (code !== 'INEFFECTIVE_DYNAMIC_IMPORT') throw new Error(message);
    },
  });
  const { output: files } = await build.write({
    ...{ dir: DIST, entryFileNames: '[name].js', format: 'esm', comments: { jsdoc: false } },
    ...{ sourcemap: true, sourcemapExcludeSources: true },
    ...output,
  });
  for (const { fileName, code } of files) {
    if (fileName.endsWith('.cjs')) writeFileSync(join(DIST, fileName), toAscii(code));
  }
}

/** `import.meta.url` as the module's own file would have it: the compiler's twin of it is there. */
function placeOfModule(entry) {
  const here = dirname(join(DIST, entry));
  return {
    name: 'place-of-module',
    transform(code, id) {
      if (!id.startsWith(SRC) || !code.includes('import.meta.url')) return;
      const twin = join(DIST, relative(SRC, id)).replace(/\.ts$/, '.js');
      const path = relative(here, twin).split(sep).join('/');
      return {
        code: code.replaceAll('import.meta.url', `new URL('${path}', import.meta.url).href`),
        map: null,
      };
    },
  };
}

/**
 * Node's own modules are loaded where they are first used: TLS, zlib or processes cost a start milliseconds, and most
 * servers never need them.
 */
function lateBuiltins() {
  return {
    name: 'late-builtins',
    renderChunk(code) {
      const late = [];
      const declared = code.replaceAll(
        /^let (node_\w+) = require\("(node:[\w/]+)"\);$/gm,
        (_, name, module) => {
          late.push({ name, module });
          return `let ${name};`;
        },
      );
      const use = (text, { name, module }) =>
        text.replaceAll(new RegExp(`(?<![\\w$.])${name}(?=\\.)`, 'g'), `(${name} ??= require("${module}"))`);
      return { code: late.reduce(use, declared), map: null };
    },
  };
}

/** V8 keeps a source of one byte a character in half the memory of any other, and Node reads it in half the time. */
function toAscii(code) {
  const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return code.replaceAll(/[^\0-\x7f]/g, escaped);
}

/** Gives the name of the file that a module goes into; null leaves it to the bundler. */
function nameFile() {
  let files;
  return (id, context) => {
    files ??= Object.entries(FILES).map(([name, root]) => ({ name, modules: reachable(root, context) }));
    return id === fileOf(COMMAND) ? null : (files.find(({ modules }) => modules.has(id))?.name ?? null);
  };
}

function reachable(root, context) {
  const found = new Set([fileOf(root)]);
  for (const id of found) for (const next of context.getModuleInfo(id)?.importedIds ?? []) found.add(next);
  return found;
}

function fileOf(entry) {
  return join(SRC, `${entry}.ts`);
}
