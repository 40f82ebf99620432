import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { NimifyError } from '../../base/errors/nimify-error.ts';
import { toBytesData } from '../../base/tensor/bytes.ts';
import { BORROWED } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { systemClock } from '../../base/util/clock.ts';
import { loadBinding } from './binding.ts';
import { toLoadError, toRunError } from './native-errors.ts';
import { openOrtSession } from './session.ts';

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/${name}`, import.meta.url));
}

/** The two ways to a session: both must tell the same. */
const WAYS = [
  { way: 'through the add-on', find: loadBinding },
  { way: 'through the public API', find: () => undefined },
];

async function refusal(promise: Promise<unknown>): Promise<NimifyError> {
  return promise.then(
    () => expect.unreachable('nothing was refused'),
    (error: NimifyError) => error,
  );
}

function expectOwnWords(error: NimifyError): void {
  expect(error.cause).toBeInstanceOf(Error);
  expect(error.message).not.toMatch(/onnxruntime_src|\.cc:|\.h:|Status Message|Non-zero status/);
}

describe.each(WAYS)('toLoadError $way', ({ find }) => {
  it.each<[string, string, RegExp]>([
    [
      'engine/fixtures/unknown_operator.onnx',
      'UNSUPPORTED',
      /the operator 'Nope', which ONNX Runtime does not have/,
    ],
    ['fixtures/custom_op.onnx', 'UNSUPPORTED', /the operator 'my.custom:Rotate'/],
    [
      'engine/fixtures/no_kernel.onnx',
      'UNSUPPORTED',
      /'Conv' in a way that ONNX Runtime has no CPU code for/,
    ],
    [
      'engine/fixtures/type_error.onnx',
      'INVALID_INPUT',
      /a graph that is not valid; check it with onnx.checker/,
    ],
    [
      'fixtures/future_opset.onnx',
      'UNSUPPORTED',
      /opset 99 of ai.onnx, and ONNX Runtime 1.30 knows up to 26/,
    ],
    ['fixtures/future_ir.onnx', 'UNSUPPORTED', /IR version 99, .* up to 13/],
    ['fixtures/bf16_identity.onnx', 'UNSUPPORTED', /BF16/],
    ['fixtures/external_missing.onnx', 'INVALID_INPUT', /in a file 'external_missing.bin' that is missing/],
    ['fixtures/truncated.onnx', 'INVALID_INPUT', /is no ONNX model, or is cut short/],
    ['fixtures/not_a_model.onnx', 'INVALID_INPUT', /is no ONNX model/],
    ['fixtures/lfs_pointer.onnx', 'INVALID_INPUT', /is no ONNX model/],
    ['fixtures/nowhere.onnx', 'NOT_FOUND', /does not exist; check the path/],
  ])('%s: %s', async (name, code, text) => {
    const path = fixture(name);
    const error = await refusal(openOrtSession({ path, intraOpThreads: 1 }, systemClock, find));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
    expect(error.message.startsWith(path)).toBe(true);
    expectOwnWords(error);
  });

  it('has words for what it does not know', () => {
    const error = toLoadError('/m.onnx', new Error('[x.cc:1] something new'));
    expect(error.code).toBe('ENGINE_FAILED');
    expectOwnWords(error);
  });
});

const floats = (name: string, ...shape: number[]): Tensor => ({
  ...{ name, datatype: 'FP32', shape },
  data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
});
const int64 = (name: string, ...values: bigint[]): Tensor => ({
  ...{ name, datatype: 'INT64', shape: [values.length] },
  data: BigInt64Array.from(values),
});
const int32 = (name: string, value: number): Tensor => ({
  ...{ name, datatype: 'INT32', shape: [1] },
  data: Int32Array.of(value),
});

describe.each(WAYS)('toRunError $way', ({ find }) => {
  it.each<[string, readonly Tensor[], string, RegExp]>([
    [
      'gather',
      [int64('i', 1n, 20n)],
      'INVALID_INPUT',
      /in the operator Gather: index 20 is outside \[-10, 9\]/,
    ],
    [
      'matmul',
      [floats('a', 2, 3), floats('b', 4, 2)],
      'INVALID_INPUT',
      /MatMul: two sizes that must be equal differ/,
    ],
    ['reshape', [floats('a', 4)], 'INVALID_INPUT', /Reshape: \{4\} cannot be reshaped to \{-1,3\}/],
    [
      'concat',
      [floats('a', 2, 2), floats('b', 2, 3)],
      'INVALID_INPUT',
      /Concat: sizes \d and \d differ along axis 1/,
    ],
    ['add', [floats('a', 2), floats('b', 3)], 'INVALID_INPUT', /Add: sizes 2 and 3 do not go together/],
    ['divide', [int32('a', 1), int32('b', 0)], 'INVALID_INPUT', /Div: an integer is divided by zero/],
    [
      'text_to_number',
      [{ name: 'a', datatype: 'BYTES', shape: [1], data: toBytesData(['ten']) }],
      'INVALID_INPUT',
      /Cast: a text is no number/,
    ],
    ['of_shape', [int64('s', -1n)], 'INVALID_INPUT', /in the operator ConstantOfShape; check/],
    [
      'of_shape',
      [int64('s', 1_000_000n, 1_000_000n)],
      'INVALID_INPUT',
      /ask for more memory than there is in the operator ConstantOfShape; send fewer/,
    ],
    // More than the package passes in one dimension; there need be no elements for it.
    ['gather', [{ ...int64('i'), shape: [0, 2 ** 40] }], 'INVALID_INPUT', /the model refused these inputs/],
    ['gather', [{ ...int32('i', 1) }], 'INVALID_INPUT', /the model refused these inputs/],
    ['gather', [{ ...int64('i', 1n), shape: [1, 1] }], 'INVALID_INPUT', /the model refused these inputs/],
  ])('%s', async (name, inputs, code, text) => {
    const session = await openOrtSession(
      { path: fixture(`engine/fixtures/${name}.onnx`), intraOpThreads: 1 },
      systemClock,
      find,
    );
    const error = await refusal(session.run({ inputs, outputs: ['y'], owner: BORROWED }));
    await session.close();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
    expectOwnWords(error);
  });

  it.each([
    "running Range node. Name:'' Status Message: std::bad_alloc",
    'running Expand node. op_kernel.cc:83 Calculation for Tensor storage size overflowed',
    'running Col2Im node. safeint.h:17 SafeIntOnOverflow() Integer overflow',
    'running Tile node. Tile output tensor would require more than 4294967296 bytes, which exceeds',
    'running Conv node. Failed to allocate memory for requested buffer of size 4000000000000',
  ])('tells a lack of memory apart: %s', (text) => {
    const error = toRunError(new Error(`Non-zero status code returned while ${text}`));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', details: { where: 'inputs', outOfMemory: true } });
    expect(error.details?.operator).toMatch(/^(Range|Expand|Col2Im|Tile|Conv)$/);
    expect(toRunError(new Error('while running Gather node. idx=9')).details).not.toHaveProperty(
      'outOfMemory',
    );
  });

  it('names the innermost operator, and takes missing code for no fault of the request', () => {
    const nested =
      'while running Loop node. Status Message: Non-zero status code returned while running Gather node.';
    expect(toRunError(new Error(nested)).message).toContain('in the operator Gather');
    expect(toRunError(new Error('while running Conv node. Not implemented')).code).toBe('ENGINE_FAILED');
    expect(toRunError(new Error('Session already disposed.')).code).toBe('ENGINE_FAILED');
  });
});
