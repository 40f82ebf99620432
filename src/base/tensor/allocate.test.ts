import { describe, expect, it } from 'vitest';
import { NimifyError } from '../errors/nimify-error.ts';
import { allocateTensorData, allocateUncleared, wrapBytes } from './allocate.ts';
import { ARRAY_OF, DATATYPES, elementSizeBytes, type FixedDatatype } from './datatype.ts';
import { dataLength, isBytesData } from './tensor.ts';

const FIXED = DATATYPES.filter((datatype): datatype is FixedDatatype => datatype !== 'BYTES');

describe('allocateTensorData', () => {
  it.each(DATATYPES)('gives %s the array of its type', (datatype) => {
    const data = allocateTensorData(datatype, 3);
    expect(dataLength(data)).toBe(3);
    if (datatype !== 'BYTES') expect(data).toBeInstanceOf(ARRAY_OF[datatype]);
    else expect(isBytesData(data)).toBe(true);
  });
});

describe('allocateUncleared', () => {
  it.each(FIXED)('gives %s room of its own, small or large', (datatype) => {
    for (const count of [0, 3, 5000]) {
      const data = allocateUncleared(datatype, count);
      expect(data).toBeInstanceOf(ARRAY_OF[datatype]);
      expect(data).toHaveLength(count);
      expect(data.buffer.byteLength).toBe(count * elementSizeBytes(datatype));
    }
  });
});

describe('wrapBytes', () => {
  it.each(FIXED)('is a view for aligned %s', (datatype) => {
    const buffer = new ArrayBuffer(32);
    const data = wrapBytes(datatype, new Uint8Array(buffer, 8, 16));
    expect(data.buffer).toBe(buffer);
    expect(data.byteOffset).toBe(8);
    expect(data.length).toBe(16 / elementSizeBytes(datatype));
  });

  it('copies once where the bytes are not aligned, Buffers included', () => {
    const buffer = Buffer.from([0, 0x01, 0x02, 0x03, 0x04]).subarray(1);
    const data = wrapBytes(
      'UINT32',
      buffer.byteOffset % 4 === 0 ? new Uint8Array([9, ...buffer]).subarray(1) : buffer,
    );
    expect([...data]).toEqual([0x04030201]);
    expect(data.buffer).not.toBe(buffer.buffer);
  });

  it('refuses a rest', () => {
    expect(() => wrapBytes('INT64', new Uint8Array(9))).toThrow(NimifyError);
    expect(() => wrapBytes('INT64', new Uint8Array(9))).toThrow(
      'expected a multiple of 8 bytes for INT64, got 9',
    );
    expect(() => wrapBytes('FP32', new Uint8Array(6))).toThrow(
      expect.objectContaining({ details: { expected: 'a multiple of 4 bytes', got: 6 } }),
    );
  });
});
