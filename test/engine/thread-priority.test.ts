/** The event loop goes before the threads that run models. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadModel } from '../../src/registry/load.ts';
import { IRIS } from '../support/model-repository.ts';

/** How far each thread of this process stands behind others (proc(5), field 19 of `stat`). */
function niceness(): readonly number[] {
  return readdirSync('/proc/self/task').map((task) => {
    const stat = readFileSync(`/proc/self/task/${task}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

it.runIf(process.platform === 'linux')('leaves a contended core to the event loop', async () => {
  const before = niceness();
  const own = Math.min(...before);
  const { model } = await loadModel(IRIS, { engine: { host: 'thread', instances: 1 } });
  const behind = (all: readonly number[]) => all.filter((nice) => nice > own).length;
  expect(behind(niceness())).toBeGreaterThan(behind(before));
  expect(Math.min(...niceness())).toBe(own);
  await model.close({ graceMs: 5000 });
});
