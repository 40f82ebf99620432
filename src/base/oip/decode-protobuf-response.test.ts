import { describe, expect, it } from 'vitest';
import { packed, protobuf } from '../../../test/support/protobuf.ts';
import { decodeModelInferResponse } from './decode-protobuf-response.ts';

type Message = Parameters<typeof protobuf>[0];

const decode = (message: Message, rawContents?: readonly Uint8Array[]) =>
  decodeModelInferResponse({
    bytes: protobuf(message),
    ...(rawContents === undefined ? {} : { rawContents }),
  });

const x = { 1: 'x', 2: 'INT32', 3: packed(2), 5: { 2: packed(1, 2) } };
const rawX = { 1: 'x', 2: 'INT32', 3: packed(2) };
const raw = new Uint8Array(Int32Array.of(1, 2).buffer);
const tensor = { name: 'x', datatype: 'INT32', shape: [2], data: Int32Array.of(1, 2) };

describe('decodeModelInferResponse', () => {
  it('reads every field, and passes over what it does not know', () => {
    expect(
      decode({ 1: 'm', 2: '3', 3: 'id', 4: { 1: 'a', 2: { 3: 'text' } }, 5: x, 9: 'later', 10: 7 }),
    ).toEqual({ model: 'm', version: '3', id: 'id', parameters: { a: 'text' }, outputs: [tensor] });
  });

  it('reads an empty message', () => {
    expect(decode({})).toEqual({ model: '', version: '', id: '', parameters: {}, outputs: [] });
  });

  it('gives raw contents to the outputs by their order, those taken out before first', () => {
    const other = new Uint8Array(Int32Array.of(3, 4).buffer);
    const second = { ...rawX, 1: 'y' };
    expect(decode({ 5: [rawX, second], 6: [raw, other] }).outputs).toEqual([
      tensor,
      { ...tensor, name: 'y', data: Int32Array.of(3, 4) },
    ]);
    expect(decode({ 5: [rawX, second], 6: other }, [raw]).outputs).toEqual([
      tensor,
      { ...tensor, name: 'y', data: Int32Array.of(3, 4) },
    ]);
  });

  it.each<[string, Message, string]>([
    [
      'fewer raw contents than outputs',
      { 5: [rawX, { ...rawX, 1: 'y' }], 6: raw },
      'raw_output_contents: expected 2, one for each of outputs, got 1',
    ],
    [
      'more raw contents than outputs',
      { 5: rawX, 6: [raw, raw] },
      'raw_output_contents: expected 1, one for each of outputs, got 2',
    ],
    ['raw contents of another length', { 5: rawX, 6: raw.subarray(1) }, 'raw_output_contents[0]: expected'],
    ['raw contents beside typed ones', { 5: x, 6: raw }, 'outputs[0].contents'],
    ['two outputs of one name', { 5: [x, x] }, 'outputs[1].name'],
    ['a name that is no UTF-8', { 1: Uint8Array.of(0xff) }, 'model_name'],
    ['a version that is no UTF-8', { 2: Uint8Array.of(0xff) }, 'model_version'],
    ['an id that is no UTF-8', { 3: Uint8Array.of(0xff) }, 'id'],
    [
      'more raw contents than any answer has',
      { 6: new Array<Uint8Array>(16_385).fill(raw) },
      'raw_output_contents: expected at most 16384',
    ],
  ])('refuses %s', (_, message, says) => {
    expect(() => decode(message)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(says) }),
    );
  });

  it.each<[string, Uint8Array, string]>([
    ['cut within a tag', Uint8Array.of(0x80), 'message'],
    ['cut within an output', Uint8Array.of((5 << 3) | 2, 4, 1), 'outputs'],
    ['cut within raw contents', Uint8Array.of((6 << 3) | 2, 4, 1), 'raw_output_contents'],
    ['with a group that has no end', Uint8Array.of((9 << 3) | 3), 'message'],
  ])('refuses a message %s', (_, bytes, where) => {
    expect(() => decodeModelInferResponse({ bytes })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', message: expect.stringContaining(where) }),
    );
  });
});
