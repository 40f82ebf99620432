import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runNimify, startNimify } from '../../test/support/nimify.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../test/fixtures/${name}`, import.meta.url));
const demo = (name: string) => fileURLToPath(new URL(`../../examples/demo/${name}`, import.meta.url));
const IRIS = demo('iris/model.onnx');

describe('nimify', () => {
  it('prints help without arguments', async () => {
    const { exitCode, stdout, stderr } = await runNimify();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/Usage: nimify/);
    for (const command of [
      'serve',
      'inspect',
      'predict',
      'openapi',
      'client',
      'init',
      'config',
      'tune',
      'doctor',
    ])
      expect(stdout).toContain(`\n  ${command} `);
  });

  it('prints its version', async () => {
    expect(await runNimify('--version')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([
    [['bogus']],
    [['serve', '--bogus']],
    [['serve', '--http-port', 'x']],
    [['inspect']],
    [['predict']],
    [['serve', '--engine-host', 'moon']],
  ])('exits with 64 where it is used wrongly: %j', async (args) => {
    const { exitCode, stdout, stderr } = await runNimify(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n\(--help lists what it takes\)\n$/);
  });
});

describe('nimify inspect', () => {
  it('says what a model holds', async () => {
    const { exitCode, stdout } = await runNimify('inspect', IRIS);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/inputs\n {4}X {2}FP32 {2}\[/);
    expect(stdout).toMatch(/batch axis\n {4}0: .*--run/);
    expect(stdout).toContain('\nnimify serve ');
  });

  it('prints the same for machines, and what loading shows', async () => {
    const { exitCode, stdout } = await runNimify('inspect', IRIS, '--json', '--run');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      servable: true,
      format: 'onnx',
      batchAxis: { axis: 0 },
      problems: [],
      run: { batchAxis: 0, notes: { host: expect.any(String), selfTest: expect.any(String) } },
    });
  });

  it('names what is left out, and still exits with 0', async () => {
    const { exitCode, stdout } = await runNimify('inspect', fixture('zipmap.onnx'));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/seq\(map\(.*\)\) {2}\(not served\)/);
    expect(stdout).toMatch(/warning outputs\[1\]/);
  });

  it.each([
    ['what cannot be served', 'future_opset.onnx', 69],
    ['an output that would abort the process', 'int4_output.onnx', 69],
    ['no model', 'not_a_model.onnx', 65],
    ['a pointer in place of a model', 'lfs_pointer.onnx', 65],
    ['a file that is not there', 'missing.onnx', 66],
  ])('exits by the error table for %s', async (_, name, expected) => {
    const { exitCode, stdout, stderr } = await runNimify('inspect', fixture(name));
    expect(exitCode).toBe(expected);
    expect(stdout + stderr).toMatch(/error/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});

describe('nimify predict', () => {
  it('answers from a file, for people and for machines', async () => {
    const [people, machines] = await Promise.all([
      runNimify('predict', IRIS, 'X=5.1,3.5,1.4,0.2'),
      runNimify('predict', IRIS, 'X=[[5.1,3.5,1.4,0.2]]', '--json'),
    ]);
    expect(people).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^label .*\n {2}setosa \(0\)/),
    });
    const answer = JSON.parse(machines.stdout) as { outputs: { name: string; data: number[] }[] };
    expect(answer.outputs.find(({ name }) => name === 'label')?.data).toEqual([0]);
  });

  it('reads standard input, and gives only the outputs asked for', async () => {
    const args = ['predict', IRIS, 'X=@-', '--json', '--outputs', 'label'];
    const { stdout } = await startNimify(args, { input: '[[5.1,3.5,1.4,0.2],[6.7,3,5.2,2.3]]' }).finished;
    expect(JSON.parse(stdout)).toMatchObject({ outputs: [{ name: 'label', shape: [2], data: [0, 2] }] });
  });

  it('tells a mistake with exit code 65, as JSON where asked', async () => {
    const [people, machines] = await Promise.all([
      runNimify('predict', IRIS, 'X=1,2'),
      runNimify('predict', IRIS, 'X=1,2', '--json'),
    ]);
    expect(people).toMatchObject({
      exitCode: 65,
      stdout: '',
      stderr: expect.stringMatching(/^error: inputs\.X: .*\[2\]/),
    });
    expect(JSON.parse(machines.stderr)).toMatchObject({
      code: 'INVALID_INPUT',
      error: expect.stringContaining('inputs.X'),
      details: { where: 'inputs.X', got: '[2]' },
    });
  });

  it('says what to do where no server listens', async () => {
    const { exitCode, stderr } = await runNimify('predict', 'http://127.0.0.1:9', 'x=1');
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(/^error: http:\/\/127\.0\.0\.1:9 cannot be used: nothing listens there/);
  });

  it('colours nothing that is no terminal, and shows stack traces only when debugging', async () => {
    const plain = await runNimify('predict', IRIS, 'X=5.1,3.5,1.4,0.2', '--color', 'bgr');
    expect(plain.stdout + plain.stderr).not.toContain('\u001b');
    const debugged = await startNimify(['predict', IRIS, 'X=1,2'], { env: { NIMIFY_DEBUG: '1' } }).finished;
    expect(debugged.stderr).toMatch(/\n {4}at /);
  });
});

describe('nimify openapi', () => {
  it('prints the document of the models', async () => {
    const { exitCode, stdout } = await runNimify('openapi', IRIS, '--server-url', 'https://example.org');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      openapi: '3.1.0',
      servers: [{ url: 'https://example.org' }],
      paths: { '/v1/predict': expect.any(Object) },
    });
  });

  it('gives the routes without a version to the newest, by number', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nimify-openapi-'));
    for (const version of ['2', '10']) cpSync(IRIS, join(folder, 'flowers', version, 'model.onnx'));
    writeFileSync(join(folder, 'flowers', 'config.pbtxt'), 'version_policy { all { } }');
    const { stdout } = await runNimify('openapi', folder);
    rmSync(folder, { recursive: true });
    const { paths } = JSON.parse(stdout) as { paths: Record<string, { post?: { operationId: string } }> };
    const idOf = (path: string) => paths[`/v2/models/flowers${path}/infer`]?.post?.operationId;
    expect(idOf('/versions/10')).toBe(`${idOf('')}_version`);
  });
});
