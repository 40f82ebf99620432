import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NimifyError } from '../errors/nimify-error.ts';

/**
 * URL of a module that a worker thread can start from, on every supported Node version.
 *
 * Node 20 cannot run TypeScript. When the caller itself runs from `.../src/a/b.ts` (tests do), the built twin
 * `.../dist/a/b.js` is named instead; when it runs from `dist`, only the suffix changes.
 *
 * @param metaUrl the caller's `import.meta.url`
 * @param relative the module, relative to the caller, with its `.ts` suffix; `.cjs` where the build joins it into a script
 * @throws NimifyError INTERNAL where the built file is missing
 */
export function workerUrl(metaUrl: string, relative: string): URL {
  const built = new URL(relative, metaUrl).href.replace(/\.ts$/, '.js');
  const url = new URL(metaUrl.endsWith('.ts') ? inDist(built) : built);
  if (!existsSync(fileURLToPath(url))) {
    throw new NimifyError('INTERNAL', `${fileURLToPath(url)} is missing; run \`npm run build\` first`);
  }
  return url;
}

/** The last `/src/` of the path is the source root: nothing below it is called `src`. */
function inDist(href: string): string {
  const at = href.lastIndexOf('/src/');
  return at < 0 ? href : `${href.slice(0, at)}/dist/${href.slice(at + '/src/'.length)}`;
}
