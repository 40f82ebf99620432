import { describe, expect, it } from 'vitest';
import type { FileBytes } from './file-bytes.ts';
import { createWireReader, type WireReader } from './wire-reader.ts';

/** A file in memory that counts what is read of it. */
function fileOf(bytes: readonly number[] | Uint8Array): FileBytes & { readonly bytesRead: number } {
  const data = Uint8Array.from(bytes);
  const file = {
    sizeBytes: data.length,
    bytesRead: 0,
    async read(target: Uint8Array, position: number) {
      expect(position + target.length).toBeLessThanOrEqual(data.length);
      target.set(data.subarray(position, position + target.length));
      file.bytesRead += target.length;
    },
  };
  return file;
}

const whole = (file: FileBytes) => ({ wireType: 2, start: 0, end: file.sizeBytes });

async function valuesOf(bytes: readonly number[]): Promise<[number, number][]> {
  const file = fileOf(bytes);
  const values: [number, number][] = [];
  await createWireReader(file).message(whole(file), (field) => {
    values.push([field.number, field.value]);
    return undefined;
  });
  return values;
}

describe('createWireReader', () => {
  it('reads varints of every length, signed', async () => {
    const minusOne = [...Array<number>(9).fill(0xff), 0x01];
    expect(await valuesOf([0x08, 0x00])).toEqual([[1, 0]]);
    expect(await valuesOf([0x08, 0x96, 0x01])).toEqual([[1, 150]]);
    expect(await valuesOf([0x08, ...minusOne])).toEqual([[1, -1]]);
    expect(await valuesOf([0x08, 0x80, 0x80, 0x80, 0x80, 0x10])).toEqual([[1, 2 ** 32]]);
    expect(await valuesOf([0xf8, 0x01, 0x05])).toEqual([[31, 5]]);
  });

  it('passes over fixed-size fields', async () => {
    expect(await valuesOf([0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 7])).toEqual([
      [1, 0],
      [2, 0],
      [3, 7],
    ]);
  });

  it.each([
    ['an endless number', [0x08, ...Array<number>(11).fill(0xff)], 'longer than 64 bits'],
    ['a number of 65 bits', [0x08, ...Array<number>(9).fill(0xff), 0x02], 'longer than 64 bits'],
    ['field number 0', [0x00, 0x01], 'no valid number'],
    ['a group', [0x0b, 0x0c], 'wire type 3'],
    ['a wire type that is none', [0x0f], 'wire type 7'],
    ['a length past the end', [0x0a, 0x05, 0x01], 'at least 4 more'],
    ['a length of 2^63', [0x0a, ...Array<number>(9).fill(0x80), 0x01], 'negative'],
    ['a number that breaks off', [0x08, 0x80], 'at least 1 more'],
    ['a fixed-size field that breaks off', [0x09, 1, 2], 'at least 6 more'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(valuesOf(bytes)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });

  it('refuses an inner field that outruns its message', async () => {
    const file = fileOf([0x0a, 0x02, 0x0a, 0x03, 0, 0, 0]);
    const reader = createWireReader(file);
    const read = reader.message(whole(file), (field) => reader.message(field, () => undefined));
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('past the end of its message'),
    });
  });

  it('refuses more messages inside each other than protobuf itself reads', async () => {
    // Every level wraps the one before: field 1, its length.
    let bytes: number[] = [];
    for (let level = 0; level < 120; level += 1) bytes = [0x0a, ...varint(bytes.length), ...bytes];
    const file = fileOf(bytes);
    const reader = createWireReader(file);
    const descend = (field: Parameters<WireReader['message']>[0]): Promise<void> =>
      reader.message(field, descend);
    await expect(descend(whole(file))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('inside each other'),
    });
  });

  it('reads no payload that nobody asks for', async () => {
    const payload = 10 * 2 ** 20;
    const bytes = new Uint8Array(payload + 20);
    bytes.set([0x0a, ...varint(payload)]);
    bytes.set([0x10, 0x2a], bytes.length - 2);
    const length = 1 + varint(payload).length + payload;
    bytes.copyWithin(length, bytes.length - 2);
    const file = fileOf(bytes.subarray(0, length + 2));
    const seen: number[] = [];
    await createWireReader(file).message(whole(file), (field) => {
      seen.push(field.value);
      return undefined;
    });
    expect(seen).toEqual([0, 42]);
    expect(file.bytesRead).toBeLessThan(10_000);
  });

  it('hands over texts longer than its window, and at its edges', async () => {
    const texts = ['', 'ä'.repeat(100_000), 'short', 'x'.repeat(65_530), 'after', '\ufeffmark'];
    const encoded = texts.map((text) => new TextEncoder().encode(text));
    const file = fileOf(encoded.flatMap((text) => [0x12, ...varint(text.length), ...text]));
    const reader = createWireReader(file);
    const read: string[] = [];
    await reader.message(whole(file), (field) =>
      reader.text(field, (text) => {
        read.push(text);
      }),
    );
    expect(read).toEqual(texts);
  });

  it('reads repeated integers packed and one by one', async () => {
    const file = fileOf([0x08, 0x03, 0x0a, 0x03, 0x01, 0x96, 0x01, 0x08, 0x04]);
    const reader = createWireReader(file);
    const read: number[] = [];
    await reader.message(whole(file), (field) =>
      reader.integers(field, (value) => {
        read.push(value);
      }),
    );
    expect(read).toEqual([3, 1, 150, 4]);
  });
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}
