/** `nimify client --lang ts`: what it writes compiles under the strictest rules, and talks to a real server. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat, floatToBfloat16, floatToHalf, halfToFloat } from '../../src/client/client.ts';
import { runNimify } from '../support/nimify.ts';
import { serveOthers } from './other-server.ts';
import { IRIS, serveTrickyModels } from './tricky-models.ts';

const TSC = join(import.meta.dirname, '../../node_modules/.bin/tsc');

/** A browser's world: no types of Node. */
const CONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
    module: 'nodenext',
    outDir: 'out',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
  },
};

/** The same as in use-others.ts: ties, subnormals, what is too large, and all between. */
const SAMPLES = [
  ...[1, -2.5, 3.4e38, 65_519, 65_520, 2 ** -133, 2 ** -135, 2 ** -24, 2 ** -25, 1.00390625, 1.00048828125],
  ...[Number.NaN, Number.POSITIVE_INFINITY],
  ...Array.from({ length: 3000 }, (_, at) => Math.sin(at) * 10 ** ((at % 60) - 45)),
];

async function compile(folder: string): Promise<void> {
  await promisify(execFile)(TSC, ['-p', folder]).catch((failed: { readonly stdout: string }) => {
    throw new Error(failed.stdout);
  });
}

async function runScript(path: string, url: string): Promise<string> {
  return (await promisify(execFile)(process.execPath, [path, url])).stdout;
}

describe('a generated TypeScript client', () => {
  const server = serveTrickyModels();
  const others = serveOthers();

  /** A folder with what uses the client. */
  function project(name: string, user: string): string {
    const folder = join(server.folder, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(CONFIG));
    copyFileSync(join(import.meta.dirname, 'fixtures', user), join(folder, user));
    return folder;
  }

  it('compiles, refuses what does not fit the models, and brings every kind of element there and back', async () => {
    const folder = project('ts', 'use-client.ts');
    const file = join(folder, 'models.ts');
    const written = await runNimify('client', '--lang', 'ts', '--url', server.url, '--output', file);
    expect(written).toMatchObject({ exitCode: 0, stdout: `wrote ${file} for 9 models\n`, stderr: '' });
    const hostile = await runNimify(
      'client',
      '--lang',
      'ts',
      server.hostile,
      '--output',
      join(folder, 'hostile.ts'),
    );
    expect(hostile.exitCode).toBe(0);
    await compile(folder);
    const stdout = await runScript(join(folder, 'out/use-client.js'), server.url);
    expect(JSON.parse(stdout)).toEqual({
      iris: [['0', '2'], 2, 3, 6],
      only: [['label'], '2'],
      churn: ['churn', 'churn'],
      every: {
        bool_out: ['1', '0'],
        uint8_out: ['255'],
        uint16_out: ['65535'],
        uint32_out: ['4294967295'],
        uint64_out: ['18446744073709551615'],
        int8_out: ['-128'],
        int16_out: ['-32768'],
        int32_out: ['-2147483648'],
        int64_out: ['-9223372036854775808', '7'],
        fp16_out: ['0.0999755859375', '65504', 'Infinity', String(-(2 ** -24)), '0', 'NaN', '-0'],
        fp32_out: ['0.10000000149011612', '-Infinity'],
        fp64_out: ['0.1'],
        bytes_out: ['Où', '', '\u{1F331}'],
      },
      shapes: [{ shape: [], data: [7] }, [0, 2, 2], 0],
      named: [
        [1, 2],
        [3, 4],
        [1, 2],
        [1, 2],
        [5, 6],
        [7, 8],
        [1, 2],
      ],
      alike: [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
      ],
      ready: [true, true, false],
      errors: [
        ['MODEL_NOT_FOUND', 404, expect.stringContaining('7')],
        ['INVALID_INPUT', 400, expect.stringContaining('inputs[0].shape')],
        ['INVALID_INPUT', null, 'X: the shape [2,4] has 8 elements, the data 1'],
        ['INVALID_INPUT', null, 'X: expected a tensor, got none'],
        ['INVALID_INPUT', null, 'scalar.data[0]: expected a number, got a text'],
        ['MODEL_NOT_READY', null, 'http://127.0.0.1:1/v2/models/iris/infer cannot be reached'],
        ['CANCELLED', null, expect.stringContaining('was cancelled')],
        ['NOT_FOUND', 404, expect.any(String)],
      ],
    });
  });

  it('asks other servers too: BF16, answers in JSON, refusals without a code, answers that are none', async () => {
    const folder = project('others', 'use-others.ts');
    const models = ['--models', 'brain,half,words,busy,torn'];
    const made = await runNimify('client', '--lang', 'ts', '--url', others.url, ...models);
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    writeFileSync(join(folder, 'others.ts'), made.stdout);
    await compile(folder);
    const stdout = await runScript(join(folder, 'out/use-others.js'), others.url);
    expect(JSON.parse(stdout)).toEqual({
      brain: SAMPLES.map((value) => String(bfloat16ToFloat(floatToBfloat16(value)))),
      half: SAMPLES.map((value) => String(halfToFloat(floatToHalf(value)))),
      words: ['0.5', 'NaN', '-Infinity'],
      errors: [
        ['HTTP_503', 503, 'come later', 7000],
        ['ENGINE_FAILED', null, 'URL did not answer in the Open Inference Protocol', null],
        'HTTP_404',
      ],
    });
    const unnamed = await runNimify('client', '--lang', 'ts', '--url', others.url);
    expect(unnamed).toMatchObject({
      exitCode: 66,
      stderr: expect.stringContaining('name them with --models'),
    });
  });

  it('is made of files as well, with the names of their dimensions', async () => {
    const { exitCode, stdout } = await runNimify(
      ...['client', '--lang', 'ts', `flowers=${IRIS}`, '--server-url', 'https://example.org'],
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^\/\/ Generated by nimify \d/);
    expect(stdout).toContain("const DEFAULT_URL = 'https://example.org';");
    expect(stdout).toContain('/** FP32 [N,4] */');
    expect(stdout).toContain(
      'readonly flowers: { readonly inputs: FlowersInputs; readonly outputs: FlowersOutputs };',
    );
    expect(stdout).not.toContain('Iris');
  });

  it('is written over an older one, and over nothing else', async () => {
    const file = join(server.folder, 'mine.ts');
    const make = () => runNimify('client', '--lang', 'ts', IRIS, '--output', file);
    expect((await make()).exitCode).toBe(0);
    expect((await make()).exitCode).toBe(0);
    writeFileSync(file, 'my own work');
    expect(await make()).toMatchObject({
      exitCode: 73,
      stderr: expect.stringContaining('holds something else'),
    });
    expect(readFileSync(file, 'utf8')).toBe('my own work');
  });

  it.each([
    [['--lang', 'ts'], 65, /name model files, or a server with --url/],
    [['--lang', 'ts', IRIS, '--url', 'http://127.0.0.1:1'], 65, /one of the two/],
    [['--lang', 'ts', '--url', 'http://127.0.0.1:1'], 75, /nothing listens there/],
    [['--lang', 'ts', IRIS, '--models', 'nobody'], 66, /expected one of iris, got 'nobody'/],
    [['--lang', 'cobol', IRIS], 64, /Allowed choices are ts, python/],
    [[IRIS], 64, /required option '--lang/],
    [['--lang', 'ts', '/nowhere.onnx'], 66, /nowhere/],
    [['--lang', 'ts', IRIS, '--output', '/nowhere/at/all.ts'], 66, /cannot be written/],
  ])('exits with its reason: %j', async (args, exitCode, message) => {
    const finished = await runNimify('client', ...args);
    expect(finished).toMatchObject({ exitCode, stdout: '' });
    expect(finished.stderr).toMatch(message);
  });
});
