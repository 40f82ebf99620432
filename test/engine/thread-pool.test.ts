/** What the command sets before it loads a module. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/engine/onnxruntime/native/ffi.ts';

const POOL = fileURLToPath(new URL('../../bin/thread-pool.cjs', import.meta.url));
const PRINT = `
  const { readdirSync, readFileSync } = require('node:fs');
  const niceness = readdirSync('/proc/self/task').map((task) => {
    const stat = readFileSync('/proc/self/task/' + task + '/stat', 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
  const koffi = require('koffi/build/koffi/' + process.platform + '_' + process.arch + '/koffi.node');
  console.log(JSON.stringify({
    niceness, settings: koffi.config(), threads: Number(process.env.UV_THREADPOOL_SIZE) }));
`;

function settingsWith(env: Readonly<Record<string, string>>) {
  const { UV_THREADPOOL_SIZE: _size, MALLOC_ARENA_MAX: _heaps, ...rest } = process.env;
  const ran = spawnSync(process.execPath, ['--require', POOL, '-e', PRINT], {
    ...{ encoding: 'utf8', cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    env: { ...rest, ...env },
  });
  return JSON.parse(ran.stdout) as { niceness: number[]; settings: object; threads: number };
}

describe.runIf(process.platform === 'linux')('the command', () => {
  it('gives libuv threads for runs, which go after the event loop', () => {
    const { niceness, threads } = settingsWith({});
    const own = Math.min(...niceness);
    expect(threads).toBeGreaterThanOrEqual(20);
    expect(niceness.filter((nice) => nice > own)).toHaveLength(threads);
  });

  it('leaves the size of the pool to whoever sets it', () => {
    const { niceness, threads } = settingsWith({ UV_THREADPOOL_SIZE: '7' });
    const own = Math.min(...niceness);
    expect(threads).toBe(7);
    expect(niceness.filter((nice) => nice > own)).toHaveLength(7);
  });

  it('sets koffi as the native host wants it', () => {
    expect(settingsWith({}).settings).toMatchObject(SETTINGS);
  });
});
