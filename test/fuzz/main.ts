import { createHash, randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type Assignment, CURRENT_BYTES, type Report, readCurrent } from './worker.ts';

const FINDINGS = 'test/fuzz/findings';
const MAX_FINDINGS = 10;
const HANG_SECONDS = 60;
const HEAP_MIB = 512;

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string' },
    replay: { type: 'string' },
    /** Say what is found, and save nothing. */
    'dry-run': { type: 'boolean', default: false },
  },
});
const seconds = flags.seconds !== undefined ? Number(flags.seconds) : Number(flags.minutes ?? 1) * 60;
const seed = flags.seed === undefined ? randomInt(2 ** 31 - 1) : Number(flags.seed);
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('fuzz: --seconds and --minutes take a number above 0, --seed an integer');
  process.exit(64);
}

const replayed = flags.replay === undefined ? undefined : readFileSync(flags.replay);
const shared = new SharedArrayBuffer(CURRENT_BYTES);
const assignment: Assignment = {
  dataFolder: process.env.NIMIFY_DATA ?? '../shared/data',
  seed,
  // Findings are called target-hash.bin.
  target: flags.replay === undefined ? flags.target : basename(flags.replay).replace(/-[0-9a-f]+\.bin$/, ''),
  replay: replayed,
  current: shared,
};

const runs = new Map<string, number>();
/** Findings by what went wrong, so that one fault is told once. */
const found = new Set<string>();
/** The batch that runs. */
let running: { readonly target: string; readonly seed: number } | undefined;

function take(message: Report): void {
  if (message.type === 'start') running = message;
  else if (message.type === 'batch') runs.set(message.target, (runs.get(message.target) ?? 0) + message.runs);
  else keep(message.target, message.seed, message.input, message.error);
}

function keep(target: string, atSeed: number | undefined, input: Uint8Array, error: string): void {
  const what = `${target}: ${error.split('\n').slice(0, 3).join('\n')}`;
  if (found.has(what)) return;
  found.add(what);
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const path = join(FINDINGS, `${target}-${hash}.bin`);
  console.error(`\nfuzz: ${target}, ${input.length} bytes: ${error}`);
  if (atSeed !== undefined) console.error(`  again: npm run fuzz -- --target ${target} --seed ${atSeed}`);
  if (flags['dry-run'] || replayed !== undefined) return;
  mkdirSync(FINDINGS, { recursive: true });
  writeFileSync(path, input);
  console.error(`  or:    npm run fuzz -- --replay ${path}`);
}

/** For what the thread itself cannot tell any more. */
function keepRunning(error: string): void {
  if (running === undefined) console.error(`fuzz: before the first input: ${error}`);
  keep(running?.target ?? 'start', running?.seed, readCurrent(shared).input, error);
}

function finish(): never {
  for (const [target, count] of runs) console.log(`fuzz: ${target.padEnd(14)}${count} inputs`);
  console.log(`fuzz: seed ${seed}, ${found.size} findings`);
  process.exit(found.size > 0 ? 1 : 0);
}

console.log(`fuzz: seed ${seed}`);
const worker = new Worker(new URL('./worker.js', import.meta.url), {
  workerData: assignment,
  resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
});
worker.on('message', (message: Report) => {
  take(message);
  if (found.size >= MAX_FINDINGS) finish();
});
worker.on('error', (error) => {
  keepRunning(`the thread ended: ${error.stack}`);
  finish();
});
worker.on('exit', finish);
setTimeout(finish, seconds * 1000);

let seen = { count: -1, quietSeconds: 0 };
setInterval(() => {
  const { count } = readCurrent(shared);
  seen = count === seen.count ? { count, quietSeconds: seen.quietSeconds + 1 } : { count, quietSeconds: 0 };
  if (seen.quietSeconds < HANG_SECONDS) return;
  keepRunning(`no end within ${HANG_SECONDS} s`);
  finish();
}, 1000);
