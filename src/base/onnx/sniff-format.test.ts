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
    ['PyTorch format version', 'PK\x03\x04\0\0m/.format_version', 'a.onnx', 'a PyTorch file'],
    ['PyTorch .pth', 'PK\x03\x04\0\0', 'a.PTH', 'a PyTorch file'],
    ['PyTorch .ckpt', '\x80\x02}q\0', 'a.ckpt', 'a PyTorch file'],
    ['PyTorch .bin', 'PK\x03\x04\0\0', 'pytorch_model.bin', 'a PyTorch file'],
    ['PyTorch of old under any name', '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19', 'a', 'a PyTorch file'],
    ['Keras by its extension', 'PK\x03\x04\0\0', 'a.keras', 'a Keras file'],
    ['Keras by its content', 'PK\x03\x04\0\0metadata.json', 'a', 'a Keras file'],
    ['HDF5', '\x89HDF\r\n\x1a\n', 'a', 'a Keras (HDF5) file'],
    ['an unknown zip', 'PK\x03\x04\0\0', 'a', 'a zip archive'],
    ['pickle protocol 2', '\x80\x02}', 'a', 'a Python pickle'],
    ['pickle protocol 5', '\x80\x05}', 'a', 'a Python pickle'],
    ['safetensors', '\x0a\0\0\0\0\0\0\0{"', 'a', 'a safetensors file, which has weights but no graph'],
    ['GGUF', 'GGUF\0', 'a', 'a GGUF file'],
    ['TensorFlow Lite', '\x1c\0\0\0TFL3', 'a', 'a TensorFlow Lite file'],
    ['NumPy', '\x93NUMPY\0', 'a', 'a NumPy file'],
    ['TensorRT', 'ftrt\0', 'a', 'a TensorRT engine'],
    ['gzip', '\x1f\x8b\0', 'a', 'compressed (gzip)'],
    ['TensorFlow', '\x0a\0', 'a.pb', 'a TensorFlow graph'],
    ['nothing in a .pb', '\0', 'a.pb', 'a TensorFlow graph'],
  ])('calls %s by its name', (_, head, path, name) => {
    expect(() => sniffFormat(bytes(head), path)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(`^this is ${name.replace(/[()]/g, '\\$&')}, not an ONNX model; `),
        details: { where: path, expected: 'an ONNX or ORT model', got: name },
      }),
    );
  });

  it.each([
    ['pickle protocol 1', '\x80\x01}\0'],
    ['pickle protocol 6', '\x80\x06}\0'],
    ['half a pickle', '\x80\0'],
    ['safetensors of too many bytes', '\x0a\0\0\0\x01\0\0\0{"'],
    ['safetensors that end before the header', '\x0a\0\0\0\0\0\0\0{'],
    ['safetensors without a header', '\x0a\0\0\0\0\0\0\0["'],
    ['a letter of a zip', 'PK\x03\0'],
    ['a .pb by its content only', '\x0a\0'],
  ])('does not know %s', (_, head) => {
    expect(() => sniffFormat(bytes(head), 'a')).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: 'this is not an ONNX or ORT model, and no format that nimify knows; give a .onnx file',
        details: {
          where: 'a',
          expected: 'an ONNX or ORT model',
          got: `bytes ${bytes(head).subarray(0, 8).toString('hex')}`,
        },
      }),
    );
  });

  it.each([
    ['', 'the model file is empty; export or download it again', '0 bytes'],
    [
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\n',
      'this is a Git-LFS pointer: the model itself was not downloaded; run `git lfs pull` in its repository',
      'a Git-LFS pointer',
    ],
    [
      ' <?xml version="1.0"?>',
      'this is a web page (or XML), not a model; download the file itself, not the page that shows it',
      'HTML or XML',
    ],
    [
      '<HEAD>',
      'this is a web page (or XML), not a model; download the file itself, not the page that shows it',
      'HTML or XML',
    ],
    [
      `${'x'.repeat(50)}\t\r\n~\xe4`,
      'this is a text file, not an ONNX model; give a .onnx or .ort file',
      JSON.stringify('x'.repeat(40)),
    ],
  ])('says what %j is instead of a model', (head, message, got) => {
    expect(() => sniffFormat(bytes(head), 'a.onnx')).toThrow(
      expect.objectContaining({ message, details: expect.objectContaining({ where: 'a.onnx', got }) }),
    );
  });

  it('takes control characters for a sign that a file is no text', () => {
    expect(sniffFormat(bytes('\x12\x05plain\x0b'), 'a')).toBe('onnx');
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
