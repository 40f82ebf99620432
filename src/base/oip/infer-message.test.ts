import { describe, expect, it } from 'vitest';
import { protobuf } from '../../../test/support/protobuf.ts';
import { createInferMessageSink } from './infer-message.ts';

/** What a sink makes of pieces. */
function take(pieces: readonly Uint8Array[], limit = 2 ** 20) {
  const sink = createInferMessageSink(limit);
  for (const piece of pieces) sink.push(piece);
  const { bytes, rawContents } = sink.take();
  return { bytes: Buffer.from(bytes), raw: rawContents?.map((raw) => Buffer.from(raw)) };
}

const single = (bytes: Uint8Array) => [...bytes].map((byte) => Uint8Array.of(byte));

const REFUSAL =
  'message: expected a whole ModelInferRequest with at most 16384 raw_input_contents, got bytes that are none';

const fixed = Buffer.from([
  (10 << 3) | 1,
  ...new Array<number>(8).fill(0xff),
  (10 << 3) | 5,
  ...new Array<number>(4).fill(0xff),
]);
/** A group with raw contents' field number in it, which are none there. */
const group = Buffer.concat([
  Uint8Array.of((11 << 3) | 3),
  protobuf({ 7: 'in a group' }),
  Uint8Array.of((11 << 3) | 4),
]);
const kept = Buffer.concat([protobuf({ 1: 'model', 2: '', 8: 2 ** 50, 9: -1, 300: 'far' }), fixed, group]);
const long = new Uint8Array(3000).fill(0x3a);

describe('InferMessageSink', () => {
  it.each([
    ['whole', (bytes: Uint8Array) => [bytes]],
    ['byte by byte', single],
  ])('takes the raw contents out of a message that comes %s', (_, cut) => {
    const message = Buffer.concat([
      protobuf({ 7: Uint8Array.of(1, 2, 3) }),
      kept,
      protobuf({ 7: [new Uint8Array(0), long] }),
      kept,
      protobuf({ 5: long }),
    ]);
    const { bytes, raw } = take(cut(message));
    expect(bytes).toEqual(Buffer.concat([kept, kept, protobuf({ 5: long })]));
    expect(raw).toEqual([Buffer.of(1, 2, 3), Buffer.alloc(0), Buffer.from(long)]);
  });

  it('takes an empty message', () => {
    expect(take([])).toEqual({ bytes: Buffer.alloc(0), raw: [] });
  });

  it('asks for memory of exactly the length, and puts the bytes there', () => {
    const memory = new Uint8Array(8).fill(9);
    const asked: number[] = [];
    const sink = createInferMessageSink(100, (byteLength) => {
      asked.push(byteLength);
      return memory.subarray(0, byteLength);
    });
    sink.push(protobuf({ 7: Uint8Array.of(1, 2, 3) }));
    expect(asked).toEqual([3]);
    expect(memory).toEqual(Uint8Array.of(1, 2, 3, 9, 9, 9, 9, 9));
    expect(sink.take().rawContents?.[0]?.buffer).toBe(memory.buffer);
  });

  it('gives each its own buffer, which may be handed to another thread', () => {
    const sink = createInferMessageSink(100);
    sink.push(protobuf({ 7: [Uint8Array.of(1), Uint8Array.of(2)] }));
    const sizes = sink.take().rawContents?.map(({ buffer }) => buffer.byteLength);
    expect(sizes).toEqual([1, 1]);
  });

  it('believes no length that goes beyond the limit', () => {
    const asked: number[] = [];
    const allocate = (byteLength: number) => {
      asked.push(byteLength);
      return new Uint8Array(byteLength);
    };
    // Tag, length, and as many bytes as are left.
    for (const [length, isTaken] of [
      [8, true],
      [9, false],
    ] as const) {
      for (const field of [7, 5]) {
        const sink = createInferMessageSink(10, allocate);
        for (const piece of single(protobuf({ [field]: new Uint8Array(length) }))) sink.push(piece);
        if (isTaken) expect(sink.take()).toBeDefined();
        else expect(() => sink.take()).toThrow(REFUSAL);
      }
    }
    expect(asked).toEqual([8]);
  });

  it.each([
    ['cut within a tag', [Uint8Array.of(0x80)]],
    ['cut after a tag', [Uint8Array.of(8)]],
    ['cut within a number', [Uint8Array.of(8, 0x80)]],
    ['cut within a length', [Uint8Array.of(10, 0x80)]],
    ['cut within bytes', [Uint8Array.of(10, 2, 1)]],
    ['cut within raw contents', [Uint8Array.of(58, 2, 1)]],
    ['cut within a fixed number', [Uint8Array.of((1 << 3) | 5, 1, 2, 3)]],
    ['cut within a group', [Uint8Array.of((1 << 3) | 3)]],
    ['with the end of a group that never began', [Uint8Array.of((1 << 3) | 4), Uint8Array.of((1 << 3) | 3)]],
    ['with wire type 6', [Uint8Array.of((1 << 3) | 6)]],
    ['with wire type 7', [Uint8Array.of((1 << 3) | 7), Uint8Array.of(8, 1)]],
    ['with a number of eleven bytes', [Uint8Array.of(8, ...new Array<number>(10).fill(0x80), 0)]],
  ])('refuses a message %s', (_, pieces) => {
    expect(() => take(pieces)).toThrow(REFUSAL);
    expect(() => take(single(Buffer.concat(pieces)))).toThrow(REFUSAL);
  });

  it('takes numbers of ten bytes, whose value is none of its business', () => {
    const bytes = Buffer.of(8, ...new Array<number>(9).fill(0xff), 1);
    expect(take([bytes]).bytes).toEqual(bytes);
  });

  it('refuses more raw contents than 16384', () => {
    const one = protobuf({ 7: '' });
    const many = (count: number) => Buffer.concat(new Array<Uint8Array>(count).fill(one));
    expect(take([many(16_384)]).raw?.length).toBe(16_384);
    expect(() => take([many(16_385)])).toThrow(REFUSAL);
  });
});
