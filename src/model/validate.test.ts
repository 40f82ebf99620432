import { describe, expect, it } from 'vitest';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { toBytesData } from '../base/tensor/bytes.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { Signature } from './signature.ts';
import { validateRequest } from './validate.ts';

const signature: Signature = {
  inputs: [
    { name: 'image', datatype: 'FP32', shape: [-1, 2], dimensionNames: ['N', undefined] },
    { name: 'mask', datatype: 'BOOL', shape: [-1], dimensionNames: ['N'] },
    { name: 'note', datatype: 'BYTES', shape: [], dimensionNames: [], optional: true },
  ],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1], dimensionNames: ['N'] },
    { name: 'scores', datatype: 'FP32', shape: [-1, 3], dimensionNames: ['N', undefined] },
  ],
  batchAxis: 0,
};

const image: Tensor = { name: 'image', datatype: 'FP32', shape: [2, 2], data: new Float32Array(4) };
const mask: Tensor = { name: 'mask', datatype: 'BOOL', shape: [2], data: new Uint8Array(2) };
const note: Tensor = { name: 'note', datatype: 'BYTES', shape: [], data: toBytesData(['hi']) };

function refusal(inputs: readonly Tensor[], outputs?: readonly string[]): NimifyError {
  try {
    validateRequest(signature, { inputs, ...(outputs === undefined ? {} : { outputs }) });
  } catch (thrown) {
    if (thrown instanceof NimifyError) return thrown;
    throw thrown;
  }
  return expect.unreachable('nothing was refused');
}

describe('validateRequest', () => {
  it('accepts what fits: any order, optional inputs left out, some outputs, no rows', () => {
    validateRequest(signature, { inputs: [mask, image] });
    validateRequest(signature, { inputs: [image, mask, note], outputs: ['scores'] });
    const none = [
      { ...image, shape: [0, 2], data: new Float32Array(0) },
      { ...mask, shape: [0], data: new Uint8Array(0) },
    ];
    validateRequest(signature, { inputs: none });
  });

  it('accepts any shape where the rank is open', () => {
    const open: Signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1], dimensionNames: [], anyRank: true }],
      outputs: [],
      batchAxis: 'none',
    };
    validateRequest(open, {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 1, 2], data: new Float32Array(4) }],
    });
  });

  it.each<[string, readonly Tensor[], string, RegExp]>([
    [
      'an unknown input',
      [{ ...image, name: 'imgae' }, mask],
      'inputs[0].name',
      /no input is called 'imgae'.*'image', 'mask'.*did you mean 'image'/,
    ],
    ['a duplicate', [image, mask, image], 'inputs[2].name', /each input once/],
    ['a missing input', [mask], 'inputs', /input 'image' \(FP32 \[N,2\]\) missing/],
    [
      'a wrong datatype',
      [image, { ...mask, datatype: 'UINT8' }],
      'inputs[1].datatype',
      /expected BOOL, got UINT8/,
    ],
    [
      'a wrong rank',
      [{ ...image, shape: [4] }, mask],
      'inputs[0].shape',
      /expected \[N,2\], got \[4\].*2 dimensions, not 1/,
    ],
    [
      'a wrong fixed dimension',
      [{ ...image, shape: [1, 4] }, mask],
      'inputs[0].shape',
      /dimension 1 of 'image' is 2, not 4/,
    ],
    ['a negative dimension', [{ ...image, shape: [-1, 2] }, mask], 'inputs[0].shape', /whole numbers from 0/],
    [
      'a product that overflows',
      [{ ...image, shape: [2 ** 52, 2 ** 10] }, mask],
      'inputs[0].shape',
      /below 2\^53/,
    ],
    [
      'too few elements',
      [{ ...image, data: new Float32Array(3) }, mask],
      'inputs[0].data',
      /expected 4 elements, got 3/,
    ],
    [
      'the wrong array',
      [{ ...image, data: new Float64Array(4) }, mask],
      'inputs[0].data',
      /Float32Array, got Float64Array/,
    ],
    [
      'no bytes for BYTES',
      [image, mask, { ...note, data: new Uint8Array(1) }],
      'inputs[2].data',
      /\{bytes, offsets\}, got Uint8Array/,
    ],
    ['bytes for numbers', [{ ...image, data: toBytesData(['a']) }, mask], 'inputs[0].data', /got object/],
  ])('refuses %s', (_, inputs, where, text) => {
    const error = refusal(inputs);
    expect(error.code).toBe('INVALID_INPUT');
    expect(error.details?.where).toBe(where);
    expect(error.message.startsWith(where)).toBe(true);
    expect(error.message).toMatch(text);
  });

  it('refuses a named dimension of two sizes, and says where both are', () => {
    const error = refusal([image, { ...mask, shape: [3], data: new Uint8Array(3) }]);
    expect(error.message).toBe(
      "inputs[1].shape: dimension 'N' is 2 in input 'image' (axis 0) and 3 in input 'mask' (axis 0); give it the same size in both",
    );
  });

  it('refuses outputs that are unknown or asked for twice', () => {
    expect(refusal([image, mask], ['score']).message).toMatch(
      /no output is called 'score'.*did you mean 'scores'/,
    );
    expect(refusal([image, mask], ['label', 'label']).details?.where).toBe('outputs[1].name');
  });

  it('does not echo without end what a client sent', () => {
    const error = refusal([{ ...image, name: 'x'.repeat(10_000) }, mask]);
    expect(error.message.length).toBeLessThan(500);
    const shaped = refusal([{ ...image, shape: new Array<number>(10_000).fill(1) }, mask]);
    expect(shaped.message.length).toBeLessThan(500);
  });
});
