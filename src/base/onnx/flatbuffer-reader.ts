import { invalidInput, type NimifyError } from '../errors/nimify-error.ts';
import type { FileBytes } from './file-bytes.ts';
import { LIMITS } from './limits.ts';

/** A table: its place, and the place of each field by slot (0: absent, so the default holds). */
export interface FlatTable {
  readonly at: number;
  readonly fields: readonly number[];
}

/** Elements of `size` bytes from file position `start` on. */
export interface FlatVector {
  readonly start: number;
  readonly length: number;
}

/**
 * Reads FlatBuffers tables from a file, at any position and with every offset checked against the file
 * (flatbuffers.dev, "Internals"). Slots are the numbers of fields in the order of the schema; a union has two.
 */
export interface FlatBufferReader {
  root(): Promise<FlatTable>;
  /** The table that a field refers to; `undefined` where the field is absent. Likewise below. */
  table(table: FlatTable, slot: number): Promise<FlatTable | undefined>;
  string(table: FlatTable, slot: number): Promise<string>;
  int8(table: FlatTable, slot: number): Promise<number>;
  int32(table: FlatTable, slot: number): Promise<number>;
  /** Exact up to 2^53, rounded beyond. */
  int64(table: FlatTable, slot: number): Promise<number | undefined>;
  int64s(table: FlatTable, slot: number, maxLength: number): Promise<number[]>;
  /** Visits the tables of a vector, one after another. */
  eachTable(table: FlatTable, slot: number, visit: (element: FlatTable) => Promise<void>): Promise<void>;
  eachString(table: FlatTable, slot: number, visit: (text: string) => void): Promise<void>;
}

const WINDOW_BYTES = 32 * 1024;
const WINDOWS = 16;
/** More slots than any table of ort.fbs has. */
const MAX_SLOTS = 32;
/** The smallest table: its offset to the vtable, and the reference to it. */
const MIN_TABLE_BYTES = 8;
/** References and pieces of text; texts are shared by honest writers, too. */
const READS_PER_BYTE = 16;
const MAX_READS = 2 ** 26;

export function createFlatBufferReader(file: FileBytes): FlatBufferReader {
  const windows: { start: number; bytes: DataView<ArrayBuffer> }[] = [];
  let replaceNext = 0;
  // Offsets may share tables, and a small file so unfold into a huge tree; honest writers do not share them.
  let tablesLeft = Math.ceil(file.sizeBytes / MIN_TABLE_BYTES);
  let readsLeft = Math.min(READS_PER_BYTE * file.sizeBytes, MAX_READS);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  /** A view that holds `length` bytes from `position` on; index it with `position - start`. */
  async function at(position: number, length: number): Promise<DataView> {
    if (!(position >= 0) || position + length > file.sizeBytes) throw outside(position, length);
    for (const window of windows) {
      const offset = position - window.start;
      if (offset >= 0 && offset + length <= window.bytes.byteLength) {
        return new DataView(window.bytes.buffer, offset, length);
      }
    }
    if (length > WINDOW_BYTES / 2) {
      const bytes = new Uint8Array(length);
      await file.read(bytes, position);
      return new DataView(bytes.buffer);
    }
    // References run both ways, so a new window stands around the position.
    const start = Math.max(0, Math.min(position - WINDOW_BYTES / 4, file.sizeBytes - WINDOW_BYTES));
    const bytes = new Uint8Array(Math.min(WINDOW_BYTES, file.sizeBytes - start));
    await file.read(bytes, start);
    windows[replaceNext] = { start, bytes: new DataView(bytes.buffer) };
    replaceNext = (replaceNext + 1) % WINDOWS;
    return new DataView(bytes.buffer, position - start, length);
  }

  function charge(count: number): void {
    readsLeft -= count;
    if (readsLeft < 0) throw damaged('its parts refer to each other over and over');
  }

  async function open(position: number): Promise<FlatTable> {
    tablesLeft -= 1;
    if (tablesLeft < 0) throw damaged('its parts refer to each other over and over');
    const vtable = position - (await at(position, 4)).getInt32(0, true);
    const head = await at(vtable, 4);
    const vtableBytes = head.getUint16(0, true);
    const tableBytes = head.getUint16(2, true);
    const slots = Math.min(Math.max(0, (vtableBytes - 4) >> 1), MAX_SLOTS);
    const offsets = await at(vtable, 4 + 2 * slots);
    const fields: number[] = [];
    for (let slot = 0; slot < slots; slot += 1) {
      const offset = offsets.getUint16(4 + 2 * slot, true);
      if (offset >= tableBytes && offset !== 0) throw outside(position + offset, 1);
      fields.push(offset === 0 ? 0 : position + offset);
    }
    return { at: position, fields };
  }

  /** Where a reference at `position` points; offsets are unsigned and run forward. */
  async function follow(position: number): Promise<number> {
    charge(1);
    return position + (await at(position, 4)).getUint32(0, true);
  }

  async function vector(table: FlatTable, slot: number, elementBytes: number): Promise<FlatVector> {
    const field = table.fields[slot];
    if (!field) return { start: 0, length: 0 };
    const position = await follow(field);
    const length = (await at(position, 4)).getUint32(0, true);
    if (position + 4 + length * elementBytes > file.sizeBytes) throw outside(position, length * elementBytes);
    return { start: position + 4, length };
  }

  async function textAt(position: number): Promise<string> {
    const length = (await at(position, 4)).getUint32(0, true);
    if (length > LIMITS.textBytes)
      throw damaged(`a text of ${length} bytes; at most ${LIMITS.textBytes} are read`);
    const text = await at(position + 4, length);
    charge(length >> 3);
    return decoder.decode(text);
  }

  return {
    async root() {
      return open(await follow(0));
    },
    async table(table, slot) {
      const field = table.fields[slot];
      return field ? open(await follow(field)) : undefined;
    },
    async string(table, slot) {
      const field = table.fields[slot];
      return field ? textAt(await follow(field)) : '';
    },
    async int8(table, slot) {
      const field = table.fields[slot];
      return field ? (await at(field, 1)).getInt8(0) : 0;
    },
    async int32(table, slot) {
      const field = table.fields[slot];
      return field ? (await at(field, 4)).getInt32(0, true) : 0;
    },
    async int64(table, slot) {
      const field = table.fields[slot];
      return field ? Number((await at(field, 8)).getBigInt64(0, true)) : undefined;
    },
    async int64s(table, slot, maxLength) {
      const { start, length } = await vector(table, slot, 8);
      if (length > maxLength) throw damaged(`a list of ${length} numbers where at most ${maxLength} can be`);
      const view = length === 0 ? new DataView(new ArrayBuffer(0)) : await at(start, 8 * length);
      return Array.from({ length }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    },
    async eachTable(table, slot, visit) {
      const { start, length } = await vector(table, slot, 4);
      for (let i = 0; i < length; i += 1) await visit(await open(await follow(start + 4 * i)));
    },
    async eachString(table, slot, visit) {
      const { start, length } = await vector(table, slot, 4);
      for (let i = 0; i < length; i += 1) visit(await textAt(await follow(start + 4 * i)));
    },
  };

  function outside(position: number, length: number): NimifyError {
    return invalidInput(
      `the ORT file is cut short or damaged: a part at byte ${position} with ${length} bytes lies outside its ` +
        `${file.sizeBytes} bytes; download or copy it again`,
      { where: `byte ${position}`, expected: `at most ${file.sizeBytes}`, got: position + length },
    );
  }
}

function damaged(what: string): NimifyError {
  return invalidInput(`the ORT file is damaged: ${what}; download or convert it again`, { where: 'file' });
}
