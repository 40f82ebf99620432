import { join } from 'node:path';
import { userCacheFolder } from '../base/util/cache-folder.ts';
import { type CodeCache, createCodeCache } from './launch/code-cache.ts';
import { createScriptLoader } from './launch/script-loader.ts';

/** The models have mostly answered by then; the server has nothing to do, or something else in every turn. */
const KEEP_AFTER_MS = 3000;

const NO_CACHE: CodeCache = { read: () => undefined, write() {} };

/**
 * Starts the command, which the build has joined into few scripts (scripts/bundle.mjs). Of a server, which is started
 * again and again, the compiled code is kept: a little after its start, and at its end where more of it was run since.
 * Who sets Node's own variable against such caches is obeyed.
 */
function launch(): void {
  const isServer = process.argv[2] === 'serve';
  const isWanted = isServer && process.env.NODE_DISABLE_COMPILE_CACHE === undefined;
  const cache = isWanted ? createCodeCache(join(userCacheFolder(), 'code')) : NO_CACHE;
  const loader = createScriptLoader(cache, process.send === undefined ? 'serve' : 'serve-as-child');
  loader.load(join(__dirname, 'main.cjs'));
  if (!isWanted) return;
  setTimeout(() => loader.keepNew(), KEEP_AFTER_MS).unref();
  process.once('exit', () => loader.keepGrown());
}

launch();
