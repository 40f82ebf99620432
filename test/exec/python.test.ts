/** Python functions as models: what goes in comes out, what fails says why, what is printed is logged. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { NimifyError } from '../../src/base/errors/nimify-error.ts';
import type { LogFields } from '../../src/base/telemetry/log.ts';
import { type BytesData, isBytesData } from '../../src/base/tensor/tensor.ts';
import {
  createContext,
  createInferRequest,
  loadModel,
  type Tensor,
  toBytesData,
  toStrings,
} from '../../src/index.ts';
import type { EngineOptions } from '../../src/model/engine.ts';
import type { ServedModel } from '../../src/registry/contract.ts';
import { describeWith, pythonPath } from '../require.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');
const loaded: ServedModel[] = [];
afterEach(async () => {
  await Promise.all(loaded.splice(0).map(({ model }) => model.close({ graceMs: 5000 })));
});

interface Loaded {
  readonly served: ServedModel;
  readonly lines: readonly { readonly level: string; readonly fields: LogFields; readonly message: string }[];
}

/** `python3` is the plain one, without NumPy or with: lists come to those who ask for lists. */
async function load(file: string, engine: Partial<EngineOptions> = {}): Promise<Loaded> {
  const lines: { level: string; fields: LogFields; message: string }[] = [];
  const at = (level: string) => (fields: LogFields, message: string) =>
    void lines.push({ level, fields, message });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const served = await loadModel(join(FIXTURES, file), { engine: { python: 'python3', ...engine }, log });
  loaded.push(served);
  return { served, lines };
}

async function infer({ model }: ServedModel, ...inputs: readonly Tensor[]): Promise<readonly Tensor[]> {
  const response = await model.infer(createInferRequest({ model: model.name, inputs }), createContext());
  return response.outputs;
}

const texts = (name: string, ...strings: string[]): Tensor => ({
  ...{ name, datatype: 'BYTES', shape: [strings.length], data: toBytesData(strings) },
});
const floats = (name: string, shape: readonly number[], ...values: number[]): Tensor => ({
  ...{ name, datatype: 'FP32', shape, data: Float32Array.from(values) },
});
const longs = (name: string, shape: readonly number[], ...values: bigint[]): Tensor => ({
  ...{ name, datatype: 'INT64', shape, data: BigInt64Array.from(values) },
});
const valuesOf = ({ data }: Tensor) =>
  isBytesData(data) ? toStrings(data) : Array.from(data as Float64Array);

/** Two rows of every datatype, its limits among them. NaN is the canonical one: BF16 keeps no other. */
const EVERY: readonly Tensor[] = [
  { name: 'BOOL', datatype: 'BOOL', shape: [2, 2], data: Uint8Array.of(0, 1, 1, 0) },
  { name: 'UINT8', datatype: 'UINT8', shape: [2, 2], data: Uint8Array.of(0, 255, 7, 8) },
  { name: 'UINT16', datatype: 'UINT16', shape: [2, 2], data: Uint16Array.of(0, 65_535, 7, 8) },
  { name: 'UINT32', datatype: 'UINT32', shape: [2, 2], data: Uint32Array.of(0, 2 ** 32 - 1, 7, 8) },
  { name: 'UINT64', datatype: 'UINT64', shape: [2, 2], data: BigUint64Array.of(0n, 2n ** 64n - 1n, 7n, 8n) },
  { name: 'INT8', datatype: 'INT8', shape: [2, 2], data: Int8Array.of(-128, 127, 0, -1) },
  { name: 'INT16', datatype: 'INT16', shape: [2, 2], data: Int16Array.of(-32_768, 32_767, 0, -1) },
  { name: 'INT32', datatype: 'INT32', shape: [2, 2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1) },
  {
    name: 'INT64',
    datatype: 'INT64',
    shape: [2, 2],
    data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n),
  },
  // 1, -2, the smallest subnormal, infinity, as bits.
  { name: 'FP16', datatype: 'FP16', shape: [2, 2], data: Uint16Array.of(0x3c00, 0xc000, 1, 0x7c00) },
  { name: 'BF16', datatype: 'BF16', shape: [2, 2], data: Uint16Array.of(0x3f80, 0xc000, 0x7fc0, 0xff80) },
  floats('FP32', [2, 2], 1.5, -0, Number.NaN, Number.POSITIVE_INFINITY),
  { name: 'FP64', datatype: 'FP64', shape: [2, 2], data: Float64Array.of(0.1, 5e-324, Number.NaN, -1e308) },
  { name: 'BYTES', datatype: 'BYTES', shape: [2, 2], data: toBytesData(['', 'grün', '😀', 'a\0b']) },
];

const bytesOf = ({ data }: Tensor): unknown => {
  if (isBytesData(data)) return { bytes: [...data.bytes], offsets: [...data.offsets] };
  return [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
};

async function expectIdentity(served: ServedModel): Promise<void> {
  const { outputs } = await served.model.infer(
    createInferRequest({ model: served.name, inputs: EVERY }),
    createContext(),
  );
  expect(outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape }))).toEqual(
    EVERY.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
  );
  for (const [at, output] of outputs.entries()) {
    expect({ name: output.name, bytes: bytesOf(output) }).toEqual({
      name: output.name,
      bytes: bytesOf(EVERY[at]!),
    });
  }
}

async function failureOf(file: string): Promise<NimifyError> {
  return load(file).then(
    () => expect.unreachable(`${file} was loaded`),
    (error: NimifyError) => error,
  );
}

describeWith(['python'], 'Python functions', () => {
  it('pass every datatype as lists, bit by bit', async () => {
    await expectIdentity((await load('identity.py:as_lists')).served);
  });

  it('pass tensors without elements', async () => {
    const { served } = await load('identity.py:as_lists');
    const empty: Tensor[] = EVERY.map((tensor) => ({
      ...tensor,
      shape: [2, 0],
      data: isBytesData(tensor.data)
        ? ({ bytes: new Uint8Array(0), offsets: new Uint32Array(1) } satisfies BytesData)
        : tensor.data.subarray(0, 0),
    }));
    const { outputs } = await served.model.infer(
      createInferRequest({ model: served.name, inputs: empty, outputs: ['FP32', 'BYTES'] }),
      createContext(),
    );
    expect(outputs.map(({ name, shape }) => ({ name, shape }))).toEqual([
      { name: 'FP32', shape: [2, 0] },
      { name: 'BYTES', shape: [2, 0] },
    ]);
  });

  it('take their signature from annotations', async () => {
    const { served } = await load('annotated.py:typed_dict');
    expect(served).toMatchObject({ name: 'annotated', platform: 'exec_python' });
    expect(served.model.signature).toEqual({
      batchAxis: 'none',
      inputs: [
        { name: 'features', datatype: 'FP32', shape: [-1, 2], dimensionNames: ['batch', undefined] },
        { name: 'threshold', datatype: 'FP64', shape: [], dimensionNames: [], optional: true },
      ],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1], dimensionNames: [undefined] },
        { name: 'score', datatype: 'FP32', shape: [-1], dimensionNames: ['batch'] },
      ],
    });
    const features = floats('features', [2, 2], 0, 1, 0.25, 0.125);
    expect((await infer(served, features)).map(valuesOf)).toEqual([
      ['high', 'low'],
      [1, 0.375],
    ]);
    const threshold: Tensor = { name: 'threshold', datatype: 'FP64', shape: [], data: Float64Array.of(0.1) };
    expect(valuesOf((await infer(served, features, threshold))[0]!)).toEqual(['high', 'high']);
  });

  it('give several outputs as a record, a tuple or a dict', async () => {
    const { served } = await load('annotated.py:named_tuple');
    const [first, second] = await infer(served, longs('x', [], 2n ** 62n));
    expect(first).toMatchObject({ name: 'first', datatype: 'INT64', shape: [] });
    expect(valuesOf(first!)).toEqual([2n ** 62n + 1n]);
    expect(second).toMatchObject({ name: 'second', datatype: 'FP64', shape: [2, 2] });
    expect(valuesOf(second!)).toEqual([2 ** 61, Number.NaN, Number.POSITIVE_INFINITY, -0]);

    const tuple = await infer((await load('annotated.py:plain_tuple')).served, longs('x', [], 3n));
    expect(tuple.map(({ shape }) => shape)).toEqual([[], [0, 0]]);

    const text: Tensor = { name: 'text', datatype: 'BYTES', shape: [], data: toBytesData(['añ😀']) };
    const [reversed, flag] = await infer((await load('annotated.py:record')).served, text);
    expect(valuesOf(reversed!)).toEqual(['😀ña']);
    expect(flag).toMatchObject({ datatype: 'BOOL', shape: [], data: Uint8Array.of(1) });
  });

  it('get bytes that are no text where they ask for bytes, and refuse them where they ask for text', async () => {
    const data: BytesData = { bytes: Uint8Array.of(0xff, 0, 1), offsets: Uint32Array.of(0, 2, 3) };
    const tensor: Tensor = { name: 'data', datatype: 'BYTES', shape: [2], data };
    const [reversed] = await infer((await load('annotated.py:raw')).served, tensor);
    expect(reversed!.data).toEqual({ bytes: Uint8Array.of(0, 0xff, 1), offsets: Uint32Array.of(0, 2, 3) });

    const { served } = await load('unruly.py');
    await expect(infer(served, { ...tensor, name: 'what' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('element 0 is no UTF-8 text'),
    });
  });

  it('are batched where they say so and it proves true, and may be cached where they say so', async () => {
    const { served } = await load('annotated.py:rows');
    expect(served.model.signature.batchAxis).toBe(0);
    expect(served.model.deterministic).toBe(true);
    const mixing = await load('annotated.py:mixes_rows');
    expect(mixing.served.model.signature.batchAxis).toBe('none');
    expect(mixing.served.notes.batchAxis).toContain('rows influence each other');
    expect(mixing.served.model.deterministic).toBe(false);
  });

  it('take their signature from a declaration', async () => {
    const { served } = await load('annotated.py:declared', { python: 'python3' });
    expect(served.model.signature.outputs[0]).toMatchObject({ name: 'y', datatype: 'INT64', shape: [-1] });
    expect((await infer(served, longs('x', [2], 1n, -5n))).map(valuesOf)).toEqual([[1n, -5n]]);
  });

  it('are found without a name where there is only one', async () => {
    const { served } = await load('only_one.py');
    const text: Tensor = { name: 'text', datatype: 'BYTES', shape: [], data: toBytesData(['hey']) };
    expect((await infer(served, text)).map(valuesOf)).toEqual([['"HEY!"']]);
  });

  it.each([
    ['too_small', [300n], /output 'output': a value does not fit INT8/],
    ['wrong_shape', [1n], /declared with shape \[3\], but the function gave \[1\]/],
    ['ragged', [1n], /lists of different lengths/],
    ['fraction', [1n], /declared as INT64, but the function gave float/],
  ])('fail where they answer other than declared (%s)', async (name, values, reason) => {
    const { served } = await load(`annotated.py:${name}`);
    await expect(infer(served, longs('x', [values.length], ...values))).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: expect.stringMatching(reason),
    });
  });

  it.each([
    ['annotated.py:no_annotation', 'UNSUPPORTED', /parameter 'x' has no annotation; write it as Annotated/],
    ['annotated.py:no_return', 'UNSUPPORTED', /no annotation of what it returns/],
    ['annotated.py:odd_annotation', 'UNSUPPORTED', /parameter 'x' is annotated as dict/],
    ['annotated.py:bad_spec', 'UNSUPPORTED', /'FLOAT\[3\]' for 'x' is no spec such as/],
    [
      'annotated.py:undeclared',
      'UNSUPPORTED',
      /parameter 'y' is required, but no input of that name is declared/,
    ],
    ['annotated.py:nope', 'NOT_FOUND', /no function 'nope'; it has typed_dict, /],
    [
      'missing_module.py',
      'ENGINE_FAILED',
      /needs the module 'module_that_nobody_has', which \S+ does not have; install/,
    ],
    ['syntax_error.py', 'INVALID_INPUT', /syntax_error.py, line 2, is no valid Python 3/],
    ['raises.py', 'ENGINE_FAILED', /raised RuntimeError while being imported; the log has its traceback$/],
    ['exits.py', 'ENGINE_FAILED', /raised SystemExit while being imported/],
  ])('say why they cannot be served: %s', async (file, code, reason) => {
    const error = await failureOf(file);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(reason);
    expect(error.message).not.toContain('secret');
  });

  it('say that there is no such file or interpreter', async () => {
    expect(await failureOf('nothing.py:predict')).toMatchObject({ code: 'NOT_FOUND' });
    await expect(load('only_one.py', { python: '/nowhere/python' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('--python /nowhere/python'),
    });
  });

  it('fail with what went wrong, and go on', async () => {
    const { served, lines } = await load('unruly.py');
    await expect(infer(served, texts('what', 'bad input'))).rejects.toMatchObject({
      ...{ code: 'INVALID_INPUT', message: "what: 'bad input' is not allowed, say something else" },
    });
    await expect(infer(served, texts('what', 'raise'))).rejects.toMatchObject({
      ...{
        code: 'ENGINE_FAILED',
        message: "The function 'predict' raised KeyError; the log has its traceback",
      },
    });
    await expect(infer(served, texts('what', 'memory'))).rejects.toMatchObject({
      ...{ code: 'ENGINE_FAILED', message: "The function 'predict' ran out of memory" },
    });
    await expect(infer(served, texts('what', 'number'))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    await expect(infer(served, texts('what', 'nothing'))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
    expect((await infer(served, texts('what', 'grün', '😀'))).map(valuesOf)).toEqual([['GRÜN', '😀']]);
    await served.model.close({ graceMs: 5000 });
    const logged = lines.map(({ level, message }) => `${level}: ${message}`);
    expect(logged).toContain('info: imported: grün 😀');
    expect(logged).toContain('info: asked for raise');
    expect(logged).toContain('info: written straight to descriptor 1');
    expect(logged).toContain('info: printed by another process');
    expect(logged).toContain('warn: a warning');
    expect(logged).toContain("warn: KeyError: 'the secret is 1234'");
    expect(lines.find(({ message }) => message.startsWith('asked'))?.fields.model).toBe(
      join(FIXTURES, 'unruly.py'),
    );
  });

  it.each(['exit', 'kill', 'abort'])('are replaced when they die (%s)', async (how) => {
    const { served } = await load('unruly.py');
    const states: string[] = [];
    served.model.onState((state) => states.push(state));
    const [before] = (await infer(served, texts('what', 'pid'))).map(valuesOf);
    await expect(infer(served, texts('what', how))).rejects.toMatchObject({ code: 'ENGINE_CRASHED' });
    // It waits in line until the replacement is there.
    const [after] = (await infer(served, texts('what', 'pid'))).map(valuesOf);
    expect(after).not.toEqual(before);
    // Twice: a request that was in a process when it died is tried once more.
    expect(states).toEqual(['degraded', 'ready', 'degraded', 'ready']);
  });

  it('are ended past the limit of a run', async () => {
    const { served } = await load('unruly.py', { runLimitMs: 1000 });
    await expect(infer(served, texts('what', 'sleep'))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('1000 ms'),
    });
    expect((await infer(served, texts('what', 'a'))).map(valuesOf)).toEqual([['A']]);
  });

  it('run side by side in several processes', async () => {
    const { served } = await load('unruly.py', { instances: 2 });
    const naps = await Promise.all([1, 2].map(() => infer(served, texts('what', 'nap', 'b'))));
    expect(naps.map(([output]) => valuesOf(output!))).toEqual([
      ['NAP', 'B'],
      ['NAP', 'B'],
    ]);
    expect(served.notes.host).toContain('2 processes');
  });
});

describeWith(['numpy'], 'Python functions on NumPy', () => {
  const withNumpy = (file: string) => load(file, { python: pythonPath() });

  it('pass every datatype as arrays, bit by bit', async () => {
    await expectIdentity((await withNumpy('identity.py')).served);
  });

  it('get arrays as declared, and give arrays that are converted as far as nothing but precision is lost', async () => {
    const x = floats('x', [2, 4], 1, 2, 3, 4, 5, 6, 7, 8);
    const one = async (name: string) => (await infer((await withNumpy(`arrays.py:${name}`)).served, x))[0]!;
    expect(await one('predict')).toMatchObject({
      datatype: 'FP32',
      shape: [2],
      data: Float32Array.of(20, 52),
    });
    expect(await one('transposed')).toMatchObject({
      shape: [4, 2],
      data: Float32Array.of(1, 5, 2, 6, 3, 7, 4, 8),
    });
    expect(await one('scalar')).toMatchObject({ datatype: 'FP64', shape: [], data: Float64Array.of(4.5) });
    expect(x.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    await expect(one('too_small')).rejects.toThrow(/declared as UINT8, but the function gave int64/);
    await expect(one('fraction')).rejects.toThrow(/declared as INT64, but the function gave float32/);
    const { served } = await withNumpy('arrays.py:texts');
    expect((await infer(served, texts('text', 'grün', ''))).map(valuesOf)).toEqual([['GRÜN', '']]);
    await expect(withNumpy('arrays.py:bare')).rejects.toThrow(
      /annotated as ndarray, which tells no datatype/,
    );
  });
});

describe('the interpreter', () => {
  it('is said to be missing with what to do', async () => {
    const { PATH, VIRTUAL_ENV, CONDA_PREFIX } = process.env;
    try {
      process.env.PATH = '/nowhere';
      delete process.env.VIRTUAL_ENV;
      delete process.env.CONDA_PREFIX;
      const starting = loadModel(join(FIXTURES, 'only_one.py'));
      await expect(starting).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('install Python'),
      });
    } finally {
      Object.assign(process.env, {
        PATH,
        ...(VIRTUAL_ENV && { VIRTUAL_ENV }),
        ...(CONDA_PREFIX && { CONDA_PREFIX }),
      });
    }
  });
});
