/**
 * Throws generated and mutated inputs at everything that reads foreign bytes:
 *
 *   npm run fuzz                                   a minute, with a new seed
 *   npm run fuzz -- --minutes 30                   longer
 *   npm run fuzz -- --target onnx --seed 7         one target; the seed that a finding names comes first
 *   npm run fuzz -- --replay test/fuzz/findings/x  one input again
 *
 * A finding is saved to test/fuzz/findings/, where it is a regression test from then on, and makes the exit code 1.
 * This compiles test/fuzz and runs it in a process whose memory is limited: an input of some kilobytes that makes
 * a reader allocate gigabytes is a finding too.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { orExplain, ROOT, setUp } from './setup.mjs';

const DATA_LIMIT_KIB = 1024 * 1024;

await orExplain(setUp);
const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [compiler, '-p', join(ROOT, 'test', 'fuzz')], {
  stdio: ['ignore', 2, 2],
});
if (compiled.status !== 0) process.exit(1);
// Where the version is read from lies as deep above what was compiled as above src/.
copyFileSync(join(ROOT, 'package.json'), join(ROOT, 'dist', '.fuzz', 'package.json'));

const program = [process.execPath, join(ROOT, 'dist', '.fuzz', 'test', 'fuzz', 'main.js')];
const [command, ...args] =
  process.platform === 'linux'
    ? ['sh', '-c', `ulimit -d ${DATA_LIMIT_KIB}; exec "$@"`, 'sh', ...program]
    : program;
const child = spawn(command, [...args, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
