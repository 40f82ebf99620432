import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { countProcess, engineProcessBytes } from './engine-processes.ts';

const HELD = 64 * 2 ** 20;
const PROGRAM = `const held = Buffer.alloc(${HELD}, 1); console.log(held.length); setInterval(() => held, 1000);`;

it.runIf(process.platform === 'linux')('counts what processes hold until they have ended', async () => {
  expect(engineProcessBytes()).toBe(0);
  const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
  const uncount = countProcess(child.pid!);
  await once(child.stdout, 'data');
  expect(engineProcessBytes()).toBeGreaterThan(HELD);
  expect(engineProcessBytes()).toBeLessThan(3 * HELD);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(engineProcessBytes()).toBe(0);
  uncount();
  expect(engineProcessBytes()).toBe(0);
});
