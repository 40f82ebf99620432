import { describe, expect, it } from 'vitest';
import { toBytesData } from '../base/tensor/bytes.ts';
import { convertData } from './convert-data.ts';

describe('convertData', () => {
  it('returns the same data where nothing is to do', () => {
    const data = Float32Array.of(1);
    expect(convertData(data, 'FP32', 'FP32', 'x')).toBe(data);
  });

  it.each([
    ['FP64 to FP32', Float64Array.of(0.1, -2), 'FP64', 'FP32', Float32Array.of(0.1, -2)],
    ['FP64 to FP16', Float64Array.of(1, -0.5), 'FP64', 'FP16', Uint16Array.of(0x3c00, 0xb800)],
    ['FP16 to FP32', Uint16Array.of(0x3c00, 0xb800), 'FP16', 'FP32', Float32Array.of(1, -0.5)],
    ['BF16 to FP32', Uint16Array.of(0x3f80), 'BF16', 'FP32', Float32Array.of(1)],
    ['INT64 to INT32', BigInt64Array.of(-7n), 'INT64', 'INT32', Int32Array.of(-7)],
    ['UINT8 to INT64', Uint8Array.of(200), 'UINT8', 'INT64', BigInt64Array.of(200n)],
    ['UINT64 to INT64', BigUint64Array.of(2n ** 62n), 'UINT64', 'INT64', BigInt64Array.of(2n ** 62n)],
    ['INT64 to FP32', BigInt64Array.of(3n), 'INT64', 'FP32', Float32Array.of(3)],
    ['whole FP64 to INT8', Float64Array.of(-128, 127), 'FP64', 'INT8', Int8Array.of(-128, 127)],
    ['BOOL to FP32', Uint8Array.of(1, 0), 'BOOL', 'FP32', Float32Array.of(1, 0)],
    ['INT64 to BOOL', BigInt64Array.of(0n, 1n), 'INT64', 'BOOL', Uint8Array.of(0, 1)],
  ] as const)('converts %s', (_, data, from, to, expected) => {
    expect(convertData(data, from, to, 'x')).toEqual(expected);
  });

  it.each([
    ['a fraction', Float64Array.of(1, 1.5), 'FP64', 'INT32', 'x[1]'],
    ['a number too large', Int32Array.of(300), 'INT32', 'UINT8', 'x[0]'],
    ['a negative number', Int8Array.of(-1), 'INT8', 'UINT64', 'x[0]'],
    ['NaN', Float32Array.of(Number.NaN), 'FP32', 'INT64', 'x[0]'],
    ['a two for a truth value', Uint8Array.of(2), 'UINT8', 'BOOL', 'x[0]'],
    ['text for numbers', toBytesData(['1']), 'BYTES', 'FP32', 'x'],
    ['numbers for text', Float32Array.of(1), 'FP32', 'BYTES', 'x'],
  ] as const)('refuses %s and says where', (_, data, from, to, where) => {
    let thrown: unknown;
    try {
      convertData(data, from, to, 'x');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'INVALID_INPUT', details: { where } });
  });
});
