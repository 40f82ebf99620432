/** `nimify inspect` asks a program what it takes, and `nimify predict` runs it, as `nimify serve` does. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith } from '../require.ts';
import { runNimify } from '../support/nimify.ts';

const ANNOTATED = join(import.meta.dirname, 'fixtures/annotated.py');
const inspect = (target: string, ...flags: string[]) =>
  runNimify('inspect', target, '--python', 'python3', ...flags);

describeWith(['python'], 'nimify inspect model.py:predict', () => {
  it('shows the signature of the function, and how to serve it', async () => {
    const { exitCode, stdout, stderr } = await inspect(`${ANNOTATED}:typed_dict`);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/format +python, .*\n +function +typed_dict\n/);
    expect(stdout).toMatch(
      /inputs\n {4}features +FP32 +\[batch,2\]\n {4}threshold +FP64 +\[\] {2}\(has a default\)\n/,
    );
    expect(stdout).toMatch(/outputs\n {4}label +BYTES .*\n {4}score +FP32 +\[batch\]\n/);
    expect(stdout).toMatch(/batch axis\n {4}none: .*batchable/);
    expect(stdout).toMatch(/\nnimify serve .*annotated\.py:typed_dict\n$/);
  });

  it('prints the same for machines, and what loading shows', async () => {
    const { exitCode, stdout } = await inspect(`${ANNOTATED}:rows`, '--json', '--run');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ servable: true, format: 'python', path: ANNOTATED, batchAxis: { axis: 0 } },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      run: { batchAxis: 0, notes: { host: expect.stringContaining('process') } },
    });
  });

  it('says why a function cannot be served, by the error table', async () => {
    const missing = await inspect(`${ANNOTATED}:nowhere`);
    expect(missing.exitCode).toBeGreaterThan(0);
    expect(missing.stderr).toMatch(/error: .*annotated\.py has no function 'nowhere'; it has/);
    const raises = await inspect(join(import.meta.dirname, 'fixtures/raises.py'));
    expect(raises.exitCode).toBe(70);
    expect(raises.stderr).toMatch(/Traceback.*error: .*raised RuntimeError while being imported/s);
  });
});

describeWith(['python'], 'nimify predict model.py:predict', () => {
  const UNRULY = join(import.meta.dirname, 'fixtures/unruly.py:predict');
  const predict = (word: string) => runNimify('predict', UNRULY, '--python', 'python3', word);

  it('prints what the function returns, and passes its warnings on', async () => {
    const { exitCode, stdout, stderr } = await predict('quiet');
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('QUIET')]);
    expect(stderr).toContain('a warning');
  });

  it('shows the traceback of a function that raises, before the error', async () => {
    const { exitCode, stdout, stderr } = await predict('raise');
    expect([exitCode, stdout]).toEqual([70, '']);
    expect(stderr).toMatch(/Traceback.*KeyError: 'the secret is 1234'.*error: .*raised KeyError/s);
  });
});
