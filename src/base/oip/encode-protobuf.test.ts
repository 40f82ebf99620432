import { describe, expect, it } from 'vitest';
import { packed, protobuf } from '../../../test/support/protobuf.ts';
import type { EncodableResponse } from './encode.ts';
import {
  encodeModelInferResponse,
  encodeModelStreamInferResponse,
  encodeStreamError,
} from './encode-protobuf.ts';

const nothing: EncodableResponse = { model: '', version: '', id: '', parameters: {}, outputs: [] };

function bytesOf({ chunks, byteLength }: ReturnType<typeof encodeModelInferResponse>, headroom = 0) {
  const bytes = Buffer.concat(chunks).subarray(headroom);
  expect(bytes.length).toBe(byteLength);
  return bytes;
}

const answer: EncodableResponse = {
  model: 'm',
  version: '1',
  id: 'id',
  parameters: { text: 'a', empty: '', yes: true, no: false, whole: -5 },
  outputs: [
    { name: 'y', datatype: 'UINT8', shape: [1, 3], data: Uint8Array.of(1, 2, 3) },
    { name: 'scalar', datatype: 'INT32', shape: [], data: Int32Array.of(7) },
  ],
};
const answered = {
  1: 'm',
  2: '1',
  3: 'id',
  4: [
    { 1: 'text', 2: { 3: 'a' } },
    { 1: 'empty', 2: { 3: '' } },
    { 1: 'yes', 2: { 1: 1 } },
    { 1: 'no', 2: { 1: 0 } },
    { 1: 'whole', 2: { 2: -5 } },
  ],
  5: [
    { 1: 'y', 2: 'UINT8', 3: packed(1, 3) },
    { 1: 'scalar', 2: 'INT32' },
  ],
  6: [Uint8Array.of(1, 2, 3), Uint8Array.of(7, 0, 0, 0)],
};

describe('encodeModelInferResponse', () => {
  it('writes every field, all outputs as raw contents', () => {
    expect(bytesOf(encodeModelInferResponse(answer, 5), 5)).toEqual(Buffer.from(protobuf(answered)));
    expect(bytesOf(encodeModelInferResponse(nothing, 0))).toEqual(Buffer.alloc(0));
  });

  it('writes numbers that are no safe integers as doubles', () => {
    for (const value of [0.5, 2 ** 60]) {
      const double = Buffer.alloc(9, (4 << 3) | 1);
      double.writeDoubleLE(value, 1);
      expect(bytesOf(encodeModelInferResponse({ ...nothing, parameters: { p: value } }, 0))).toEqual(
        Buffer.from(protobuf({ 4: { 1: 'p', 2: double } })),
      );
    }
  });

  it('copies small tensors, and gives views over large ones', () => {
    const of = (length: number) => {
      const data = new Uint8Array(length);
      const outputs = [{ name: 'y', datatype: 'UINT8' as const, shape: [length], data }];
      const { chunks } = encodeModelInferResponse({ ...nothing, outputs }, 0);
      return chunks.some((chunk) => chunk.buffer === data.buffer);
    };
    expect([of(4095), of(4096)]).toEqual([false, true]);
  });
});

describe('encodeModelStreamInferResponse', () => {
  it('writes the same as infer_response', () => {
    expect(bytesOf(encodeModelStreamInferResponse(answer, 5), 5)).toEqual(
      Buffer.from(protobuf({ 2: answered })),
    );
  });
});

describe('encodeStreamError', () => {
  it('writes the message, and the id of the request if it has one', () => {
    expect(bytesOf(encodeStreamError('no', 'id', 5), 5)).toEqual(
      Buffer.from(protobuf({ 1: 'no', 2: { 3: 'id' } })),
    );
    expect(bytesOf(encodeStreamError('no', '', 0))).toEqual(Buffer.from(protobuf({ 1: 'no' })));
  });
});
