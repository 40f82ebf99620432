import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startNimify } from '../../test/support/nimify.ts';

const IRIS = fileURLToPath(new URL('../../examples/demo/iris/model.onnx', import.meta.url));
const MIXING = fileURLToPath(new URL('../../test/fixtures/dynamic_quant.onnx', import.meta.url));

const DIGITS = fileURLToPath(new URL('../../examples/demo/digits/model.onnx', import.meta.url));
/** Every batch has eight rows. */
const FIXED = fileURLToPath(new URL('../../test/engine/fixtures/fixed_batch.onnx', import.meta.url));
const CONFIG = `
version_policy { all {} }
max_batch_size: 6
input { name: "image" data_type: TYPE_FP32 dims: [64] reshape { shape: [1, 8, 8] } }
instance_group { count: 1 kind: KIND_CPU }
dynamic_batching { preferred_batch_size: [4] max_queue_delay_microseconds: 500 priority_levels: 2 default_priority_level: 1 }
`;

const folder = mkdtempSync(join(tmpdir(), 'nimify-tune-'));
const configFile = join(folder, 'nimify.yaml');
beforeAll(() => {
  cpSync(IRIS, join(folder, 'iris.onnx'));
  cpSync(MIXING, join(folder, 'mixing.onnx'));
  for (const version of ['2', '3']) cpSync(DIGITS, join(folder, 'repository/digits', version, 'model.onnx'));
  cpSync(IRIS, join(folder, 'repository/iris/1/model.onnx'));
  writeFileSync(join(folder, 'repository/digits/config.pbtxt'), CONFIG);
  cpSync(FIXED, join(folder, 'fixed/1/model.onnx'));
  writeFileSync(join(folder, 'fixed/config.pbtxt'), 'max_batch_size: 8');
});
beforeEach(() => rmSync(configFile, { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const nimify = (...args: readonly string[]) => startNimify(args, { cwd: folder }).finished;
/** Little time, and few sizes: what matters here is that it works. */
const QUICK = ['--budget', '1s', '--batch-sizes', '1,8', '--threads', '1'];

describe('nimify tune', () => {
  it('finds a setting, prints the frontier, and writes the choice where the rest of the file stays', async () => {
    writeFileSync(configFile, '# ours\nmodels:\n  - path: iris.onnx # small\n    timeoutMs: 2s\n');
    const args = ['tune', 'iris.onnx', '--objective', 'p99 < 5s', '--target', 'throughput', ...QUICK];
    const { exitCode, stdout, stderr } = await nimify(...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^iris\.onnx: .* cores?, p99 < 5000ms, for throughput\n/);
    expect(stdout).toMatch(/\n {3}runs on +batching +clients +answers\/s +p50 +p99 +memory\n/);
    expect(stdout).toMatch(/\n\* {2}\S.* ms .* [kM]B\n/);
    expect(stdout).toMatch(/\nchosen \(\*\): .*\nwith .* requests\/s by chance: p50 /);
    expect(stdout).toMatch(
      /\nwrote nimify\.yaml for iris\.onnx\nnext: nimify serve --config nimify\.yaml\n$/,
    );
    const text = readFileSync(configFile, 'utf8');
    expect(text).toMatch(
      /^# ours\nmodels:\n {2}- path: iris\.onnx # small\n {4}timeoutMs: 2s\n {4}engine:\n/,
    );
    expect(text).toContain('    objective: p99 < 5000ms\n    target: throughput\n');
    expect(await nimify('config', '--json')).toMatchObject({ exitCode: 0 });
  });

  it('says what comes closest where an objective cannot be met, with exit code 1, and writes nothing', async () => {
    const { exitCode, stdout } = await nimify('tune', 'iris.onnx', '--objective', '1us', ...QUICK);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/no setting keeps to p99 < 0\.001ms on this machine: the closest is .* ms with /);
    expect(() => readFileSync(configFile)).toThrow('ENOENT');
  });

  it('tunes threads of a model that cannot be batched, and refuses sizes of batches for it', async () => {
    const { exitCode, stdout } = await nimify(
      ...['tune', 'mixing.onnx', '--budget', '500ms', '--threads', '1', '--dry-run', '--json'],
    );
    expect(exitCode).toBe(0);
    const { chosen, unbatchable, written } = JSON.parse(stdout);
    expect(chosen.batching).toBe('off');
    expect(unbatchable).toContain('rows influence each other');
    expect(written).toBeNull();
    const refused = await nimify('tune', 'mixing.onnx', ...QUICK);
    expect(refused).toMatchObject({ exitCode: 69, stdout: '' });
    expect(refused.stderr).toMatch(/cannot be batched \(rows influence each other/);
  });

  it('tunes a model of a repository within what its config.pbtxt says, and what it writes goes before that', async () => {
    writeFileSync(configFile, 'models:\n  - path: repository\n    timeoutMs: 2s\n');
    const args = ['tune', 'repository', '--model', 'digits', '--budget', '1s', '--target', 'throughput'];
    const { exitCode, stdout, stderr } = await nimify(...args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/^repository: digits, version 3: .* cores?, no objective, for throughput\n/);
    expect(stdout).not.toMatch(/ (8|16|32) rows/);
    expect(stdout).toMatch(/\nit goes before .*repository\/digits\/config\.pbtxt, which stays as it is\n/);
    expect(readFileSync(configFile, 'utf8')).toMatch(
      /^models:\n {2}- path: repository\n {4}timeoutMs: 2s\n {2}- path: repository\/digits\n {4}timeoutMs: 2s\n {4}engine:\n/,
    );

    const server = startNimify(['serve', '--http-port', '0', '--grpc-port', '0', '--metrics-port', '0'], {
      cwd: folder,
    });
    // Both versions that the policy picks, by the entry of their own, and the other model by that of the repository.
    const [, url = ''] = await server.printed(/serves \d models at (\S+)/);
    const ready = await fetch(`${url}/v2/models/digits/versions/3/ready`);
    server.process.kill('SIGTERM');
    await server.finished;
    expect(ready.status).toBe(200);
  });

  it('leaves runs that are filled up at the size that the model fixes', async () => {
    const { exitCode, stdout } = await nimify(
      ...['tune', 'fixed', '--budget', '500ms', '--threads', '1', '--dry-run', '--json'],
    );
    expect(exitCode).toBe(0);
    const { name, chosen } = JSON.parse(stdout);
    expect(name).toBe('fixed');
    expect(chosen.batching.maxBatchSize).toBe(8);
  });

  it('says which models a folder holds where it cannot know which is meant, and what does not fit', async () => {
    const several = await nimify('tune', 'repository', '--dry-run');
    expect(several).toMatchObject({ exitCode: 78, stdout: '' });
    expect(several.stderr).toMatch(/repository holds 2 models \(digits, iris\); choose one with --model/);
    const nobody = await nimify('tune', 'repository', '--model', 'nobody');
    expect(nobody.stderr).toMatch(/no model is called 'nobody'; there are digits, iris/);
    const tooLarge = await nimify('tune', 'repository', '--model', 'digits', '--batch-sizes', '2,16');
    expect(tooLarge.exitCode).toBe(78);
    expect(tooLarge.stderr).toMatch(/max_batch_size: 6, so larger batches cannot be searched/);
  });

  it.each([
    [['--objective', 'fast'], 'expected a latency that most answers keep to'],
    [['--batch-sizes', '1,x'], 'expected a whole number of at least 1'],
    [['--budget', '0'], 'expected a whole number of milliseconds of at least 1'],
    [['--target', 'speed'], 'Allowed choices are latency'],
  ])('refuses %j', async (args, says) => {
    const { exitCode, stderr } = await nimify('tune', 'iris.onnx', ...args);
    expect(exitCode).toBe(64);
    expect(stderr).toContain(says);
  });
});
