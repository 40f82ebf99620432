import { describe, expect, it } from 'vitest';
import { toModelMetadata, toServerMetadata } from './metadata.ts';

const URL = 'http://127.0.0.1:8000';

const MODEL = {
  name: 'm',
  versions: ['1', '2'],
  platform: 'onnxruntime_onnx',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: ['-1'] }],
  extra: true,
};

describe('toModelMetadata', () => {
  it('reads the protocol, dimensions as strings too, and keeps what a server adds', () => {
    expect(toModelMetadata(MODEL, URL)).toMatchObject({
      name: 'm',
      versions: ['1', '2'],
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1] }],
      raw: { extra: true },
    });
  });

  it.each([
    ['no object', [], 'the model metadata'],
    ['no name', { ...MODEL, name: 1 }, 'name'],
    ['no inputs', { ...MODEL, inputs: {} }, 'inputs'],
    [
      'a datatype of another world',
      { ...MODEL, outputs: [{ name: 'y', datatype: 'float', shape: [] }] },
      'outputs[0].datatype',
    ],
    ['no shape', { ...MODEL, inputs: [{ name: 'x', datatype: 'FP32' }] }, 'inputs[0].shape'],
    [
      'a broken dimension',
      { ...MODEL, inputs: [{ name: 'x', datatype: 'FP32', shape: [1.5] }] },
      'inputs[0].shape[0]',
    ],
  ])('refuses %s and says where', (_, value, where) => {
    let thrown: unknown;
    try {
      toModelMetadata(value, URL);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'ENGINE_FAILED', details: { where, url: URL } });
  });
});

describe('toServerMetadata', () => {
  it('needs a name only', () => {
    expect(toServerMetadata({ name: 's' }, URL)).toEqual({ name: 's', version: '', extensions: [] });
    expect(() => toServerMetadata({}, URL)).toThrow(/name: expected a string, got undefined/);
  });
});
