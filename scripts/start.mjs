/**
 * `npm start`: sets the checkout up and serves the bundled demo models. More arguments go to `nimify serve`.
 * The server runs in this very process, so that a signal reaches it and it can finish what it has begun. For
 * the same reason package.json says `exec`: the shell between npm and us would die of SIGTERM and leave us.
 */
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { orExplain, ROOT, setUp } from './setup.mjs';

await orExplain(setUp);
const program = join(ROOT, 'dist', 'cli', 'main.js');
const demo = relative(process.cwd(), join(ROOT, 'examples', 'demo')) || '.';
process.argv.splice(1, 1, program, 'serve', demo);
await import(pathToFileURL(program).href);
