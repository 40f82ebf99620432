/**
 * Makes a checkout ready to run: installs the locked dependencies, then builds dist/ of src/. Each step is
 * skipped while its result is fresh. Plain JavaScript without dependencies, because it runs before there are any.
 *
 *   node scripts/setup.mjs             both steps
 *   node scripts/setup.mjs --install   dependencies only
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, 'dist');
const OLDEST_NODE = [20, 19];

/** A step that cannot be done, with what the reader can do about it. */
class SetupError extends Error {}

/** Both steps, one process at a time: two commands started together do not build into each other. */
export async function setUp() {
  checkNode();
  if (isInstalled() && isBuilt()) return;
  const unlock = await lock(join(DIST, '.setup.lock'));
  try {
    install();
    build();
  } finally {
    unlock();
  }
}

/** `npm ci`, unless node_modules is what the lock file says. */
export function install() {
  if (isInstalled()) return;
  say('installing dependencies (npm ci)');
  // The npm that started us, if any, else the one on the PATH. Its chatter goes to stderr: stdout is the program's.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  const [command, ...first] = npm;
  const result = spawnSync(command, [...first, 'ci', '--include=dev', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    env: withoutOuterCall(process.env),
    shell: process.platform === 'win32' && first.length === 0,
  });
  if (result.error !== undefined) {
    throw new SetupError(
      `npm could not be started (${result.error.message}). Install Node.js with npm, then try again.`,
    );
  }
  if (result.status !== 0) {
    throw new SetupError(
      'npm ci failed; its lines above say why. It needs the npm registry: check the network and `npm config get registry`, then try again.',
    );
  }
}

/**
 * `tsc`, then the bundler, unless every source file is as it was at the last build. Files of sources that are gone
 * go too.
 * With `tolerant`, a type error is told but is not the end: the compiler has written the JavaScript anyway.
 */
export function build({ tolerant = false } = {}) {
  if (isBuilt()) return;
  say('building (tsc, bundle)');
  const before = fingerprint();
  if (existsSync(STAMP) && paths(readFileSync(STAMP, 'utf8')) !== paths(before)) clean();
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const isCompiled = runStep([compiler, '-p', join(ROOT, 'tsconfig.build.json')]);
  if (!isCompiled && !tolerant) throw new SetupError(BUILD_FAILED);
  if (!runStep([BUNDLER])) throw new SetupError(BUILD_FAILED);
  if (!isCompiled) {
    say(BUILD_FAILED);
    return;
  }
  mkdirSync(DIST, { recursive: true });
  writeFileSync(STAMP, before);
}

const BUNDLER = join(ROOT, 'scripts', 'bundle.mjs');
const BUILD_FAILED =
  'the build failed; the lines above say where. In an unchanged checkout, remove node_modules and dist and try again.';

/** Runs a script on this Node; what it says goes to stderr. True where it succeeded. */
function runStep(args) {
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] }).status === 0;
}

const STAMP = join(DIST, '.sources');

/** True when every package of the lock file that is not optional lies in node_modules in that version. */
function isInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = JSON.parse(readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' || optional || devOptional || present[path]?.version === version,
  );
}

function isBuilt() {
  return (
    existsSync(STAMP) &&
    existsSync(join(DIST, 'cli', 'launch.cjs')) &&
    readFileSync(STAMP, 'utf8') === fingerprint()
  );
}

/** One line a file that the build depends on: path, tab, time of change, size. Equal text means nothing to build. */
function fingerprint() {
  const files = [
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'tsconfig.build.json'),
    join(ROOT, 'package-lock.json'),
    BUNDLER,
    ...readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
      .map((entry) => join(entry.parentPath, entry.name)),
  ];
  return files
    .map((file) => {
      const { mtimeMs, size } = statSync(file);
      return `${relative(ROOT, file)}\t${mtimeMs}\t${size}\n`;
    })
    .sort()
    .join('');
}

function paths(stamp) {
  return stamp.replaceAll(/\t.*/g, '');
}

function clean() {
  for (const name of readdirSync(DIST)) {
    if (name !== '.setup.lock') rmSync(join(DIST, name), { recursive: true, force: true });
  }
}

/** What `npm` or `npx` was told about its own call must not steer the one made here. */
function withoutOuterCall(env) {
  const outer =
    /^npm_config_(call|dry_run|global|include|local_prefix|location|omit|package|prefix|workspaces?)$/i;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !outer.test(name)));
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(
    `nimify needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}. See https://nodejs.org.`,
  );
}

/** Waits until this process alone holds the lock; a lock whose holder has died is taken over. */
async function lock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; ; ) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isDead(path)) {
      rmSync(path, { force: true });
      continue;
    }
    if (!told) say('waiting for another set-up of this checkout');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isDead(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function say(line) {
  process.stderr.write(`nimify: ${line}\n`);
}

/** Runs `step`; a SetupError becomes one line and exit code 1. */
export async function orExplain(step) {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await orExplain(process.argv.includes('--install') ? install : setUp);
}
