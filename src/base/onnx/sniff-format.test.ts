import { describe, expect, it } from 'vitest';
import { sniffFormat } from './sniff-format.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

describe('sniffFormat', () => {
  it('knows ONNX by its first field and ORT by its identifier', () => {
    expect(sniffFormat(bytes('\x08\x08\x12\x07pytorch'), 'model.onnx')).toBe('onnx');
    expect(sniffFormat(bytes('\x3a\x02\x12\x00\x08\x03'), 'graph-first.onnx')).toBe('onnx');
    expect(sniffFormat(bytes('\x08\x08'), 'model.pb')).toBe('onnx');
    expect(sniffFormat(bytes('\x18\0\0\0ORTM\0\0'), 'model.bin')).toBe('ort');
  });

  it.each([
    ['PyTorch zip', 'PK\x03\x04\0\0\0\0archive/data.pkl', 'model.onnx', 'torch.onnx.export'],
    ['PyTorch by its name', 'PK\x03\x04\0\0\0\0whatever', 'model.pt', 'torch.onnx.export'],
    ['old PyTorch', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.', 'model', 'torch.onnx.export'],
    ['Keras', 'PK\x03\x04\0\0metadata.json', 'model.keras', 'model.export'],
    ['Keras HDF5', '\x89HDF\r\n\x1a\n\0', 'model.h5', 'model.export'],
    ['zip', 'PK\x03\x04\0\0model.onnx', 'model.zip', 'unpack it'],
    ['pickle', '\x80\x04\x95\0\0\0', 'model.pkl', 'skl2onnx'],
    ['safetensors', '\x40\x01\0\0\0\0\0\0{"w":{"dtype":"F32"', 'model.safetensors', 'optimum-cli'],
    ['GGUF', 'GGUF\x03\0\0\0', 'model.gguf', 'optimum-cli'],
    ['TensorFlow Lite', '\x1c\0\0\0TFL3\0\0', 'model.tflite', 'tf2onnx.convert --tflite'],
    ['TensorFlow graph', '\x0a\x05\x0a\x03abc', 'frozen.pb', 'tf2onnx.convert'],
    ['NumPy', '\x93NUMPY\x01\0', 'x.npy', 'no model'],
    ['TensorRT', 'ftrt\0\0\0\0', 'model.plan', 'built from'],
    ['gzip', '\x1f\x8b\x08\0', 'model.onnx.gz', 'gunzip'],
  ])('refuses %s and says how to come from it to ONNX', (_, head, path, advice) => {
    expect(() => sniffFormat(bytes(head), path)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining(advice) }),
    );
  });

  it.each([
    ['an empty file', '', 'empty'],
    [
      'a Git-LFS pointer',
      'version https://git-lfs.github.com/spec/v1\nsize 12\n',
      'of 12 bytes itself was not',
    ],
    ['a web page', '\n<!DOCTYPE html><html>', 'web page'],
    ['a web page after a byte order mark', '\xef\xbb\xbf<html lang="en">', 'web page'],
    ['text', '{"error": "not found"}', 'text file'],
    ['noise', '\x00\x01\x02\x03', 'no format that nimify knows'],
    ['a field that no model begins with', '\x0a\x05\x00\x00\x00\x00\x00', 'no format that nimify knows'],
  ])('refuses %s', (_, head, message) => {
    expect(() => sniffFormat(bytes(head), 'model.onnx')).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(message) }),
    );
  });
});
