import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExpectedSignature, expectSignature } from '../../../test/fixtures/expect-signature.ts';
import signatures from '../../../test/fixtures/signatures.json' with { type: 'json' };
import { hashModelFile, readModelFile } from './model-file.ts';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const readFixture = (name: string) => readModelFile(join(FIXTURES, name));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-model-file-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('readModelFile', () => {
  it.each(Object.entries(signatures.fixtures))(
    'reads %s as the onnx package does',
    async (name, expected) => {
      expectSignature(await readFixture(name), expected as ExpectedSignature);
    },
  );

  it.each(['embedding', 'embedding_paths', 'zipmap'])('reads %s alike from ONNX and ORT', async (name) => {
    const [onnx, ort] = [await readFixture(`${name}.onnx`), await readFixture(`${name}.ort`)];
    // ONNX Runtime makes an initializer of a Constant node when it writes its own format.
    const { Constant: _, ...operators } = onnx.operators;
    const { inputs, outputs, parameterCount, indexLimits, producer, irVersion, problems } = onnx;
    expect(ort.format).toBe('ort');
    expect(ort).toMatchObject({
      inputs,
      outputs,
      parameterCount,
      indexLimits,
      producer,
      irVersion,
      problems,
    });
    expect(ort.operators).toEqual(operators);
    expect(ort.opsets).toEqual(expect.arrayContaining([...onnx.opsets]));
  });

  it('reads names, versions, description and metadata', async () => {
    const file = await readFixture('optional_input.onnx');
    expect(file).toMatchObject({
      format: 'onnx',
      path: join(FIXTURES, 'optional_input.onnx'),
      graphName: 'optional_input',
      description: 'Multiplies by a factor, 3 unless given.',
      producer: { name: 'nimify-fixtures', version: '1' },
      irVersion: 8,
      opsets: [{ domain: 'ai.onnx', version: 17 }],
      problems: [],
    });
    expect(Object.entries(file.metadata)).toEqual([
      ['task', 'scale'],
      ['__proto__', 'a plain key'],
    ]);
    expect(file.inputs.map((input) => [input.name, input.optional])).toEqual([
      ['x', false],
      ['factor', true],
    ]);
  });

  it('finds inputs that index a table', async () => {
    expect((await readFixture('embedding.onnx')).indexLimits).toEqual({ ids: 20 });
    expect((await readFixture('embedding_paths.onnx')).indexLimits).toEqual({ word: 7, segment: 30 });
    expect((await readFixture('row_mixing.onnx')).indexLimits).toEqual({});
  });

  it.each([
    ['int4_output.onnx', 'outputs[0]', 'int4'],
    ['bf16_identity.onnx', 'inputs[0]', 'bfloat16'],
    ['sequence_input.onnx', 'inputs[0]', 'seq(float32)'],
    ['external_missing.onnx', 'externalData', 'external_missing.bin'],
    ['external_escape.onnx', 'externalData', '../weights.bin'],
    ['custom_op.onnx', 'operators', "a custom operator library: domain 'my.custom' ('Rotate')"],
    ['future_opset.onnx', 'opsets', 'ai.onnx 99'],
    ['future_ir.onnx', 'irVersion', 'IR version 99'],
    ['zipmap_only.onnx', 'outputs', 'no output'],
  ])('says why %s cannot be served', async (name, where, text) => {
    const errors = (await readFixture(name)).problems.filter((problem) => problem.severity === 'error');
    expect(errors).toContainEqual({
      severity: 'error',
      where,
      message: expect.stringContaining(text),
      fix: expect.stringMatching(/\w{3}/),
    });
  });

  it('warns of an output that is no tensor and names ZipMap', async () => {
    expect((await readFixture('zipmap.onnx')).problems).toEqual([
      {
        severity: 'warning',
        where: 'outputs[1]',
        message: expect.stringMatching(/'probabilities' is seq\(map\(int64,float32\)\), made by ZipMap/),
        fix: expect.stringContaining("'zipmap': False"),
      },
    ]);
  });

  it.each([
    'dynamic_dims.onnx',
    'dynamic_quant.onnx',
    'embedding.onnx',
    'external_data/model.onnx',
    'function_op.onnx',
    'row_mixing.onnx',
    'slow.onnx',
    'sparse_weights.onnx',
    'two_inputs_same_symbol.onnx',
  ])('finds nothing wrong with %s', async (name) => {
    expect((await readFixture(name)).problems).toEqual([]);
  });

  it.each([
    ['lfs_pointer.onnx', 'INVALID_INPUT', 'git lfs pull'],
    ['not_a_model.onnx', 'INVALID_INPUT', 'text file'],
    ['truncated.onnx', 'INVALID_INPUT', 'at least 167 more'],
    ['external_data', 'INVALID_INPUT', 'folder'],
    ['no such file', 'NOT_FOUND', 'no file'],
    ['embedding.onnx/inside', 'NOT_FOUND', 'no file'],
    ['nul\0byte', 'INVALID_INPUT', 'cannot be opened'],
  ])('refuses %j', async (name, code, text) => {
    const refusal = readFixture(name);
    await expect(refusal).rejects.toMatchObject({
      code,
      message: expect.stringContaining(text),
      details: { where: expect.stringMatching(/^byte \d+$|^\//) },
    });
    await expect(refusal).rejects.toThrow(join(FIXTURES, name));
  });

  it('keeps the reason of the system as the cause, and the place within the file as its detail', async () => {
    const path = join(FIXTURES, 'no such file');
    await expect(readModelFile(path)).rejects.toMatchObject({
      message: `there is no file at ${path}; check the path`,
      details: { where: path },
      cause: { code: 'ENOENT' },
    });
    await expect(readFixture('not_a_model.onnx')).rejects.toMatchObject({
      message: `${join(FIXTURES, 'not_a_model.onnx')}: this is a text file, not an ONNX model; give a .onnx or .ort file`,
      details: { where: join(FIXTURES, 'not_a_model.onnx') },
    });
    await expect(readFixture('external_data')).rejects.toMatchObject({
      message: `${join(FIXTURES, 'external_data')} is a folder; give the path of the .onnx or .ort file in it`,
      details: { where: join(FIXTURES, 'external_data') },
    });
    await expect(readFixture('truncated.onnx')).rejects.toMatchObject({ details: { missingBytes: 167 } });
  });

  it('refuses what is no ordinary file', async () => {
    const socket = join(folder, 'socket.onnx');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    await expect(readModelFile(socket)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('no ordinary file'),
    });
    server.close();
  });

  it('says where every cut of a model breaks it, or that it lacks its operator set', async () => {
    const bytes = await readFile(join(FIXTURES, 'embedding.onnx'));
    for (let length = 0; length < bytes.length; length += 1) {
      const path = join(folder, 'cut.onnx');
      await writeFile(path, bytes.subarray(0, length));
      const problems = await readModelFile(path).then(
        (file) => file.problems.filter((problem) => problem.severity === 'error'),
        (error) => [error],
      );
      expect(problems).not.toEqual([]);
      if (problems[0] instanceof Error) expect(problems[0]).toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('passes over weights of 2 GB', async () => {
    const path = join(folder, 'huge.onnx');
    const weights = 2 * 2 ** 30 - 4096;
    await writeHugeModel(path, weights);
    const before = process.memoryUsage().rss;
    const file = await readModelFile(path);
    const grown = process.memoryUsage().rss - before;
    expect(file).toMatchObject({ parameterCount: weights / 4, problems: [] });
    expect(file.sizeBytes).toBeGreaterThan(weights);
    expect(file.inputs).toMatchObject([{ name: 'x', shape: [weights / 4] }]);
    expect(grown).toBeLessThan(64 * 2 ** 20);
  });
});

describe('hashModelFile', () => {
  it("is the file's own SHA-256 where there is no external data", async () => {
    const bytes = await readFile(join(FIXTURES, 'embedding.onnx'));
    const expected = createHash('sha256').update(bytes).digest('hex');
    expect(await hashModelFile(await readFixture('embedding.onnx'))).toBe(expected);
  });

  it('changes with the external data, and not with the place', async () => {
    const copy = join(folder, 'copied');
    await cp(join(FIXTURES, 'external_data'), copy, { recursive: true });
    const original = await hashModelFile(await readFixture('external_data/model.onnx'));
    expect(await hashModelFile(await readModelFile(join(copy, 'model.onnx')))).toBe(original);
    const weights = await readFile(join(copy, 'weights.bin'));
    weights[3]! ^= 1;
    await writeFile(join(copy, 'weights.bin'), weights);
    expect(await hashModelFile(await readModelFile(join(copy, 'model.onnx')))).not.toBe(original);
  });

  it('says which file is missing', async () => {
    await expect(hashModelFile(await readFixture('external_missing.onnx'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('external_missing.bin'),
    });
  });
});

/** x [n] + weights [n] with raw data that is a hole in the file. */
async function writeHugeModel(path: string, weightBytes: number): Promise<void> {
  const count = weightBytes / 4;
  const shape = message(field(1, message(number(1, count))));
  const type = message(field(1, message(number(1, 1), field(2, shape))));
  const value = (name: string) => message(field(1, text(name)), field(2, type));
  const node = message(field(1, text('x')), field(1, text('w')), field(2, text('y')), field(4, text('Add')));
  const head = message(field(2, text('huge')), field(1, node));
  const tensorHead = message(number(1, count), number(2, 1), field(8, text('w')));
  const rawHead = [0x4a, ...varint(weightBytes)];
  const tensorBytes = tensorHead.length + rawHead.length + weightBytes;
  const tensorPrefix = [0x2a, ...varint(tensorBytes), ...tensorHead, ...rawHead];
  const tail = message(field(11, value('x')), field(12, value('y')));
  const graphBytes = head.length + (tensorPrefix.length + weightBytes) + tail.length;
  const opset = message(field(8, message(number(2, 17))));
  const before = [...number(1, 8), 0x3a, ...varint(graphBytes), ...head, ...tensorPrefix];
  const file = await open(path, 'w');
  await file.write(Uint8Array.from(before), 0, before.length, 0);
  await file.truncate(before.length + weightBytes);
  const after = Uint8Array.from([...tail, ...opset]);
  await file.write(after, 0, after.length, before.length + weightBytes);
  await file.close();
}

const message = (...parts: number[][]): number[] => parts.flat();
const text = (value: string): number[] => [...new TextEncoder().encode(value)];
const number = (id: number, value: number): number[] => [...varint(id * 8), ...varint(value)];
const field = (id: number, payload: number[]): number[] => [
  ...varint(id * 8 + 2),
  ...varint(payload.length),
  ...payload,
];

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}
