import { describe, expect, it } from 'vitest';
import type { FileBytes } from './file-bytes.ts';
import { createWireReader, type WireReader } from './wire-reader.ts';

/** A file in memory that notes what is read of it: positions and lengths. */
function fileOf(bytes: readonly number[] | Uint8Array) {
  const data = Uint8Array.from(bytes);
  const file = {
    sizeBytes: data.length,
    bytesRead: 0,
    reads: [] as [number, number][],
    async read(target: Uint8Array, position: number) {
      expect(position + target.length).toBeLessThanOrEqual(data.length);
      target.set(data.subarray(position, position + target.length));
      file.bytesRead += target.length;
      file.reads.push([position, target.length]);
    },
  };
  return file satisfies FileBytes;
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
    ['a number of eleven bytes', [0x08, ...Array<number>(10).fill(0xff), 0x01], 'longer than 64 bits'],
    ['a number of 65 bits', [0x08, ...Array<number>(9).fill(0xff), 0x02], 'longer than 64 bits'],
    ['field number 0', [0x00, 0x01], 'no valid number'],
    ['a field number of 30 bits', [0x88, 0x80, 0x80, 0x80, 0x10, 0x01], 'no valid number'],
    ['the last field number with a wire type that is none', [0xff, 0xff, 0xff, 0xff, 0x0f], 'wire type 7'],
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
      message:
        'the ONNX file is damaged, or is no ONNX file: a field ends 3 bytes past the end of its message (at byte 2); export or download it again',
      details: { where: 'byte 2' },
    });
  });

  it.each([
    ['has no value', [0x0a, 0x01, 0x08, 0x10, 0x05]],
    ['has a part of its value', [0x0a, 0x02, 0x08, 0x80, 0x10, 0x05]],
    ['has a part of its tag', [0x0a, 0x01, 0x80, 0x10, 0x05]],
  ])('takes no byte behind the message for an inner field that %s', async (_, bytes) => {
    const file = fileOf(bytes);
    const reader = createWireReader(file);
    const read = reader.message(whole(file), (field) => reader.message(field, () => undefined));
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('a field ends 1 bytes past the end of its message'),
    });
  });

  it('says where a file is cut short, and by how much at least', async () => {
    await expect(valuesOf([0x08, 0x01, 0x0a, 0x05, 0x01])).rejects.toMatchObject({
      message:
        'the ONNX file is cut short: it has 5 bytes, and the part that begins at byte 2 needs at least 4 more; download or copy it again',
      details: { where: 'byte 2', expected: 9, got: 5, missingBytes: 4 },
    });
  });

  it('passes over a number where a message or a text belongs, as protobuf does', async () => {
    const file = fileOf([0x08, 0x01]);
    const reader = createWireReader(file);
    const unexpected = () => expect.fail('there is nothing to read');
    await reader.message(whole(file), (field) => {
      expect(reader.text(field, unexpected)).toBeUndefined();
      return reader.message(field, unexpected);
    });
    await reader.message({ wireType: 5, start: 0, end: 2 }, unexpected);
    await reader.integers({ number: 1, wireType: 5, value: 0, start: 0, end: 2 }, unexpected);
  });

  it('refuses more messages inside each other than protobuf itself reads', async () => {
    // Every level wraps the one before: field 1, its length.
    const readNested = (levels: number) => {
      let bytes: number[] = [];
      for (let level = 1; level < levels; level += 1) bytes = [0x0a, ...varint(bytes.length), ...bytes];
      const file = fileOf(bytes);
      const reader = createWireReader(file);
      const descend = (field: Parameters<WireReader['message']>[0]): Promise<void> =>
        reader.message(field, descend);
      return descend(whole(file));
    };
    await readNested(100);
    await expect(readNested(101)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('more than 100 messages inside each other'),
    });
  });

  it('reads a small file once', async () => {
    const file = fileOf([0x08, 0x01, 0x12, 0x02, 0x61, 0x62, 0x0a, 0x02, 0x01, 0x02]);
    const reader = createWireReader(file);
    await reader.message(whole(file), (field) =>
      field.number === 2 ? reader.text(field, () => {}) : reader.integers(field, () => {}),
    );
    expect(file.reads).toEqual([[0, 10]]);
  });

  it('reads ever more while it reads on, and little after a jump', async () => {
    const small = new Uint8Array(300_000).map((_, at) => (at % 2 === 0 ? 0x08 : 0x01));
    const payload = 100_000;
    const file = fileOf(Buffer.concat([small, Uint8Array.of(0x12, ...varint(payload)), small]));
    const afterPayload = small.length + 1 + varint(payload).length + payload;
    await createWireReader(file).message(whole(file), () => undefined);
    const lengths = file.reads.map(([, length]) => length);
    const jump = file.reads.findIndex(([position]) => position >= afterPayload);
    expect(lengths.slice(0, 6)).toEqual([4096, 8192, 16_384, 32_768, 65_536, 65_536]);
    expect(file.reads[jump]).toEqual([afterPayload, 4096]);
    expect(lengths.slice(jump, jump + 5)).toEqual([4096, 8192, 16_384, 32_768, 65_536]);
    for (const [at, [position]] of file.reads.entries()) {
      if (at === 0 || at === jump) continue;
      const [before, length] = file.reads[at - 1]!;
      // What is left of the window is read again where a tag and its length may not fit in.
      expect(before + length - position).toBeGreaterThan(0);
      expect(before + length - position).toBeLessThan(20);
    }
  });

  it('reads a list of many integers in ever larger parts', async () => {
    const packed = new Uint8Array(150_000).fill(7);
    const file = fileOf(Buffer.concat([Uint8Array.of(0x0a, ...varint(packed.length)), packed]));
    const reader = createWireReader(file);
    let sum = 0;
    await reader.message(whole(file), (field) =>
      reader.integers(field, (value) => {
        sum += value;
      }),
    );
    expect(sum).toBe(7 * packed.length);
    expect(file.reads.map(([, length]) => length).slice(0, 5)).toEqual([4096, 8192, 16_384, 32_768, 65_536]);
    expect(file.reads).toHaveLength(6);
  });

  it('goes back to a message that it has passed', async () => {
    const file = fileOf(
      Buffer.concat([Uint8Array.of(0x0a, 0x02, 0x08, 0x2a, 0x12, ...varint(9000)), new Uint8Array(9000)]),
    );
    const reader = createWireReader(file);
    let first = { wireType: 0, start: 0, end: 0 };
    await reader.message(whole(file), (field) => {
      if (field.number === 1) first = { ...field };
      else return reader.text(field, (text) => expect(text).toHaveLength(9000));
      return undefined;
    });
    const values: number[] = [];
    await reader.message(first, (field) => {
      values.push(field.value);
      return undefined;
    });
    expect(values).toEqual([42]);
    // The text did not fit into the first window, and took that place.
    expect(file.reads.map(([position]) => position)).toEqual([0, 7, 2]);
  });

  it('reads a text that is longer than its window past the window', async () => {
    const length = 100_000;
    const file = fileOf(
      Buffer.concat([Uint8Array.of(0x12, ...varint(length)), new Uint8Array(length), Uint8Array.of(0x08, 1)]),
    );
    const reader = createWireReader(file);
    await reader.message(whole(file), (field) =>
      reader.text(field, (text) => expect(text).toHaveLength(length)),
    );
    expect(file.reads).toEqual([
      [0, 4096],
      [4, length],
      [4 + length, 2],
    ]);
  });

  it('refuses a text of more memory than a model needs', async () => {
    const length = 64 * 2 ** 20 + 1;
    const head = Uint8Array.of(0x12, ...varint(length));
    const sparse: FileBytes = {
      sizeBytes: head.length + length,
      async read(target, position) {
        target.fill(0);
        if (position === 0) target.set(head);
      },
    };
    const reader = createWireReader(sparse);
    const read = reader.message(whole(sparse), (field) =>
      reader.text(field, () => expect.fail('it is not read')),
    );
    await expect(read).rejects.toMatchObject({
      message: expect.stringContaining('a text of 67108865 bytes; at most 67108864 are read (at byte 5)'),
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
