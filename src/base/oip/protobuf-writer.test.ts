import { describe, expect, it } from 'vitest';
import { packed, protobuf } from '../../../test/support/protobuf.ts';
import { createProtobufWriter, type ProtobufWriter } from './protobuf-writer.ts';

/** What `write` writes, with the headroom cut off. */
function written(write: (writer: ProtobufWriter) => void, headroom = 0, writer = createProtobufWriter()) {
  writer.clear(headroom);
  write(writer);
  const { chunks, byteLength } = writer.take();
  const bytes = Buffer.concat(chunks).subarray(headroom);
  expect(bytes.length).toBe(byteLength);
  return bytes;
}

const NUMBERS = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 2 ** 31, 2 ** 32, 2 ** 35, Number.MAX_SAFE_INTEGER];

describe('ProtobufWriter', () => {
  it('writes texts, and no empty ones', () => {
    expect(written((writer) => writer.text(1, 'é数😀'))).toEqual(Buffer.from(protobuf({ 1: 'é数😀' })));
    expect(written((writer) => writer.text(1, ''))).toEqual(Buffer.alloc(0));
  });

  it('writes bytes, empty ones too', () => {
    for (const bytes of [Uint8Array.of(), Uint8Array.of(1, 2, 3)]) {
      expect(written((writer) => writer.bytes(20, bytes))).toEqual(Buffer.from(protobuf({ 20: bytes })));
    }
  });

  it('writes numbers of every length, and negative ones in ten bytes', () => {
    for (const value of [...NUMBERS, ...NUMBERS.map((number) => -number)]) {
      const field = Buffer.from(protobuf({ 3: value }));
      expect(written((writer) => writer.number(3, value))).toEqual(field);
      expect(written((writer) => writer.varint(value))).toEqual(field.subarray(1));
    }
  });

  it('writes doubles', () => {
    const expected = Buffer.alloc(9, (2 << 3) | 1);
    expected.writeDoubleLE(-0.1, 1);
    expect(written((writer) => writer.double(2, -0.1))).toEqual(expected);
  });

  it('leaves the headroom before the message', () => {
    const bytes = written((writer) => writer.text(1, 'a'), 5);
    expect(bytes).toEqual(Buffer.from(protobuf({ 1: 'a' })));
  });

  it.each([0, 1, 127, 128, 300, 16_383, 16_384, 40_000])('writes a nested message of %i bytes', (length) => {
    const text = 'x'.repeat(length);
    expect(
      written((writer) => {
        writer.nested(5, () => writer.bytes(1, Buffer.from(text)));
        writer.number(6, 7);
      }),
    ).toEqual(Buffer.from(protobuf({ 5: { 1: text }, 6: 7 })));
  });

  it('writes messages within messages, and packed numbers', () => {
    const long = 'x'.repeat(150);
    expect(
      written((writer) => {
        writer.text(1, 'before');
        writer.nested(2, () => {
          writer.nested(3, () => writer.text(1, long));
          writer.nested(4, () => {
            for (const value of NUMBERS) writer.varint(value);
          });
        });
        writer.text(5, 'after');
      }),
    ).toEqual(
      Buffer.from(protobuf({ 1: 'before', 2: { 3: { 1: long }, 4: packed(...NUMBERS) }, 5: 'after' })),
    );
  });

  it('leaves pieces where they are', () => {
    const writer = createProtobufWriter();
    const first = Uint8Array.of(1, 2);
    const second = new Uint8Array(300).fill(7);
    writer.clear(2);
    writer.text(1, 'a');
    writer.piece(6, first);
    writer.piece(6, second);
    const { chunks, byteLength } = writer.take();
    expect(chunks.filter((chunk) => chunk === first || chunk === second)).toEqual([first, second]);
    expect(chunks.at(-1)).toBe(second);
    expect(Buffer.concat(chunks).subarray(2)).toEqual(Buffer.from(protobuf({ 1: 'a', 6: [first, second] })));
    expect(byteLength).toBe(3 + 4 + 303);
  });

  it('counts pieces among the lengths of the messages around them', () => {
    const before = Uint8Array.of(9);
    const within = new Uint8Array(200).fill(7);
    const expected = protobuf({ 1: before, 2: { 1: 'a', 3: { 6: within }, 4: 5 }, 5: 'after' });
    expect(
      written((writer) => {
        writer.piece(1, before);
        writer.nested(2, () => {
          writer.text(1, 'a');
          writer.nested(3, () => writer.piece(6, within));
          writer.number(4, 5);
        });
        writer.text(5, 'after');
      }, 3),
    ).toEqual(Buffer.from(expected));
  });

  it('grows with the message, whichever way it comes, and keeps what was there', () => {
    // Every length around that of the first memory, so that each kind of field is the one that does not fit.
    for (let length = 4060; length < 4100; length += 1) {
      const text = 'x'.repeat(length);
      const kinds: readonly ((writer: ProtobufWriter) => void)[] = [
        (writer) => writer.text(2, 'text'),
        (writer) => writer.number(2, 2 ** 40),
        (writer) => writer.double(2, 0.5),
        (writer) => writer.nested(2, () => writer.text(1, 'y'.repeat(200))),
        (writer) => writer.piece(2, Uint8Array.of(1)),
      ];
      for (const kind of kinds) {
        const small = written(kind);
        const both = written((writer) => {
          writer.text(1, text);
          kind(writer);
        });
        expect(both.equals(Buffer.concat([protobuf({ 1: text }), small]))).toBe(true);
      }
    }
  });

  it('starts afresh, after a message half way and after a giant one', () => {
    const writer = createProtobufWriter();
    const piece = Uint8Array.of(1, 2, 3);
    writer.clear(3);
    writer.text(1, 'dropped');
    writer.piece(2, piece);
    const giant = 'x'.repeat(2 ** 21);
    for (const text of ['next', giant, 'last', giant]) {
      const bytes = written((one) => one.text(1, text), 0, writer);
      expect(bytes.equals(protobuf({ 1: text }))).toBe(true);
    }
  });

  it('never touches again what it has handed out', () => {
    const writer = createProtobufWriter();
    const first = written((one) => one.text(1, 'first'), 0, writer);
    written((one) => one.text(1, 'other'), 0, writer);
    expect(first).toEqual(Buffer.from(protobuf({ 1: 'first' })));
  });
});
