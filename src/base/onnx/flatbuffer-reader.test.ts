import { describe, expect, it } from 'vitest';
import { flatBuffer } from '../../../test/support/flatbuffer.ts';
import type { FileBytes } from './file-bytes.ts';
import { createFlatBufferReader, type FlatBufferReader, type FlatTable } from './flatbuffer-reader.ts';

function fileOf(bytes: Uint8Array): FileBytes {
  return {
    sizeBytes: bytes.length,
    async read(target, position) {
      expect(position + target.length).toBeLessThanOrEqual(bytes.length);
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

/**
 * root -> table at 32 with the vtable at 16: slot 0 a reference (32 + 4), slot 1 an int64 (32 + 8), slot 2 an
 * int32 (32 + 16), slot 3 absent. The reference leads to 64.
 */
function smallFile(): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(96));
  view.setUint32(0, 32, true);
  for (const [i, value] of [12, 20, 4, 8, 16, 0].entries()) view.setUint16(16 + 2 * i, value, true);
  view.setInt32(32, 16, true);
  view.setUint32(36, 28, true);
  view.setBigInt64(40, -5n, true);
  view.setInt32(48, 7, true);
  return view;
}

const readerOf = (view: DataView<ArrayBuffer>): FlatBufferReader =>
  createFlatBufferReader(fileOf(new Uint8Array(view.buffer)));

describe('createFlatBufferReader', () => {
  it('reads fields by slot, with defaults where they are absent', async () => {
    const reader = readerOf(smallFile());
    const root = await reader.root();
    expect(await reader.int64(root, 1)).toBe(-5);
    expect(await reader.int32(root, 2)).toBe(7);
    expect(await reader.int32(root, 3)).toBe(0);
    expect(await reader.int64(root, 3)).toBeUndefined();
    expect(await reader.string(root, 9)).toBe('');
    expect(await reader.table(root, 3)).toBeUndefined();
  });

  it('reads strings and lists of numbers', async () => {
    const view = smallFile();
    view.setUint32(64, 3, true);
    new Uint8Array(view.buffer).set(new TextEncoder().encode('äb'), 68);
    const reader = readerOf(view);
    expect(await reader.string(await reader.root(), 0)).toBe('äb');

    const numbers = smallFile();
    numbers.setUint32(64, 2, true);
    numbers.setBigInt64(68, 3n, true);
    numbers.setBigInt64(76, -1n, true);
    const listReader = readerOf(numbers);
    expect(await listReader.int64s(await listReader.root(), 0, 2)).toEqual([3, -1]);
    await expect(listReader.int64s(await listReader.root(), 0, 1)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  it('reads texts longer than its window', async () => {
    const text = 'x'.repeat(100_000);
    const view = new DataView(new ArrayBuffer(64 + 4 + text.length));
    new Uint8Array(view.buffer).set(new Uint8Array(smallFile().buffer).subarray(0, 64));
    view.setUint32(64, text.length, true);
    new Uint8Array(view.buffer).set(new TextEncoder().encode(text), 68);
    const reader = readerOf(view);
    expect(await reader.string(await reader.root(), 0)).toBe(text);
  });

  it.each([
    ['a root outside the file', 0, 96],
    ['a vtable before the file', 32, 33],
    ['a vtable after the file', 32, -100],
    ['a reference outside the file', 36, 0xffffffff],
    ['a text longer than the file', 64, 0xffffff],
  ])('refuses %s', async (_, at, value) => {
    const view = smallFile();
    view.setInt32(at, value, true);
    const reader = readerOf(view);
    const read = async () => reader.string(await reader.root(), 0);
    await expect(read()).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('outside its 96 bytes'),
    });
  });

  it('refuses a field outside its table', async () => {
    const view = smallFile();
    view.setUint16(20, 20, true);
    await expect(readerOf(view).root()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('refuses a small file whose shared parts unfold into a huge tree', async () => {
    // A table whose one field is a list of 16 references to the table itself.
    const view = new DataView(new ArrayBuffer(128));
    view.setUint32(0, 16, true);
    for (const [i, value] of [6, 8, 4].entries()) view.setUint16(8 + 2 * i, value, true);
    view.setInt32(16, 8, true);
    view.setUint32(20, 4, true);
    view.setUint32(24, 16, true);
    // References run forward only, so the copies of the table stand behind the list.
    view.setInt32(96, 88, true);
    for (let i = 0; i < 16; i += 1) view.setUint32(28 + 4 * i, 96 - (28 + 4 * i), true);
    const reader = readerOf(view);
    let visits = 0;
    const visit = async (_: FlatTable) => {
      visits += 1;
    };
    const root = await reader.root();
    const unfold = async () => {
      for (let round = 0; round < 100; round += 1) await reader.eachTable(root, 0, visit);
    };
    await expect(unfold()).rejects.toMatchObject({ message: expect.stringContaining('over and over') });
    expect(visits).toBeLessThanOrEqual(16);
  });

  it('refuses a small file whose parts are read over and over', async () => {
    const reader = readerOf(smallFile());
    const root = await reader.root();
    // Each byte of the file pays for 16 references; the way to the root has been one.
    for (let i = 0; i < 16 * 96 - 1; i += 1) await reader.int64s(root, 0, 10);
    await expect(reader.int64s(root, 0, 10)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        'the ORT file is damaged: its parts refer to each other over and over; download or convert it again',
      details: { where: 'file' },
    });
  });

  it('charges for texts by their length', async () => {
    const view = smallFile();
    view.setUint32(64, 24, true);
    const reader = readerOf(view);
    const root = await reader.root();
    const readAll = async () => {
      for (let i = 0; i < 1000; i += 1) await reader.string(root, 0);
    };
    await expect(readAll()).rejects.toMatchObject({ message: expect.stringContaining('over and over') });
    const empty = readerOf(smallFile());
    const other = await empty.root();
    for (let i = 0; i < 1000; i += 1) await empty.string(other, 0);
  });

  it('opens each eight bytes once: as many tables as fit', async () => {
    const reader = readerOf(smallFile());
    for (let i = 0; i < 96 / 8; i += 1) await reader.root();
    await expect(reader.root()).rejects.toMatchObject({ message: expect.stringContaining('over and over') });
  });

  it('says where the file ends and what lies beyond', async () => {
    const view = smallFile();
    view.setUint32(36, 0xffff, true);
    const reader = readerOf(view);
    await expect(reader.string(await reader.root(), 0)).rejects.toMatchObject({
      message:
        'the ORT file is cut short or damaged: a part at byte 65571 with 4 bytes lies outside its 96 bytes; download or copy it again',
      details: { where: 'byte 65571', expected: 'at most 96', got: 65575 },
    });
  });

  it('refuses lists that are longer than the file, or than they can be', async () => {
    const view = smallFile();
    view.setUint32(64, 4, true);
    const reader = readerOf(view);
    const root = await reader.root();
    const none = async () => {};
    await expect(reader.int64s(root, 0, 9)).rejects.toMatchObject({
      details: { where: 'byte 64', got: 64 + 32 },
    });
    await expect(reader.int64s(root, 0, 3)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    view.setUint32(64, 3, true);
    const fitting = readerOf(view);
    expect(await fitting.int64s(await fitting.root(), 0, 3)).toEqual([0, 0, 0]);
    await expect(fitting.int64s(await fitting.root(), 0, 2)).rejects.toMatchObject({
      message:
        'the ORT file is damaged: a list of 3 numbers where at most 2 can be; download or convert it again',
    });
    view.setUint32(64, 8, true);
    const tables = readerOf(view);
    await expect(tables.eachTable(await tables.root(), 0, none)).rejects.toMatchObject({
      details: { where: 'byte 64' },
    });
    const absent = readerOf(smallFile());
    const table = await absent.root();
    expect(await absent.int64s(table, 3, 9)).toEqual([]);
    await absent.eachTable(table, 3, () => expect.fail('there is none'));
    await absent.eachString(table, 3, () => expect.fail('there is none'));
  });

  it('keeps a byte order mark, and the rest of a text as it is', async () => {
    const bytes = flatBuffer({ 0: { text: '\ufeffmark' } }, 'TEST');
    const reader = createFlatBufferReader(fileOf(bytes));
    expect(await reader.string(await reader.root(), 0)).toBe('\ufeffmark');
  });

  it('reads numbers of every size, negative ones too', async () => {
    const bytes = flatBuffer({ 0: { int8: -3 }, 1: { int32: -70_000 }, 2: { int64: -(2 ** 40) } }, 'TEST');
    const reader = createFlatBufferReader(fileOf(bytes));
    const root = await reader.root();
    expect([await reader.int8(root, 0), await reader.int32(root, 1), await reader.int64(root, 2)]).toEqual([
      -3,
      -70_000,
      -(2 ** 40),
    ]);
    expect([await reader.int8(root, 5), await reader.int32(root, 5)]).toEqual([0, 0]);
  });

  it('finds its way in a file of many windows, and reads little more than it is asked for', async () => {
    const entries = Array.from({ length: 3000 }, (_, i) => ({
      0: { text: `name ${i}` },
      1: { int64: i },
      2: { int64s: [i, -i] },
      3: { table: { 0: { text: `inner ${i}` } } },
    }));
    const bytes = flatBuffer({ 0: { tables: entries }, 1: { text: 'last' } }, 'TEST');
    expect(bytes.length).toBeGreaterThan(10 * 32 * 1024);
    let readBytes = 0;
    const file = fileOf(bytes);
    const counting: FileBytes = {
      sizeBytes: file.sizeBytes,
      read(target, position) {
        readBytes += target.length;
        return file.read(target, position);
      },
    };
    const reader = createFlatBufferReader(counting);
    const root = await reader.root();
    expect(await reader.string(root, 1)).toBe('last');
    expect(readBytes).toBeLessThan(3 * 32 * 1024);
    let i = 0;
    await reader.eachTable(root, 0, async (entry) => {
      expect(await reader.string(entry, 0)).toBe(`name ${i}`);
      expect(await reader.int64(entry, 1)).toBe(i);
      expect(await reader.int64s(entry, 2, 2)).toEqual([i, i === 0 ? 0 : -i]);
      const inner = await reader.table(entry, 3);
      expect(await reader.string(inner!, 0)).toBe(`inner ${i}`);
      i += 1;
    });
    expect(i).toBe(3000);
    expect(readBytes).toBeLessThan(3 * bytes.length);
  });
});
