/** What stands in a slot of a table; a table is its fields by slot. */
export type Field =
  | { readonly int8: number }
  | { readonly int32: number }
  | { readonly int64: number }
  | { readonly int64s: readonly number[] }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly table: Table }
  | { readonly tables: readonly Table[] };

export interface Table {
  readonly [slot: number]: Field;
}

/** Each field gets eight bytes, behind the reference to the vtable and as much padding. */
const FIELD_BYTES = 8;

/** A FlatBuffers file (flatbuffers.dev, "Internals") with `root` as its root and four letters of identifier. */
export function flatBuffer(root: Table, identifier: string): Uint8Array {
  const bytes = Buffer.alloc(1 << 20);
  let end = 8;
  bytes.write(identifier, 4, 'latin1');
  bytes.writeUInt32LE(writeTable(root), 0);
  return Uint8Array.from(bytes.subarray(0, end));

  function allocate(size: number): number {
    const at = Math.ceil(end / 8) * 8;
    end = at + size;
    return at;
  }

  function writeTable(table: Table): number {
    const slots = Object.keys(table).map(Number);
    const count = Math.max(-1, ...slots) + 1;
    const vtable = allocate(4 + 2 * count);
    const at = allocate(FIELD_BYTES * (1 + count));
    bytes.writeUInt16LE(4 + 2 * count, vtable);
    bytes.writeUInt16LE(FIELD_BYTES * (1 + count), vtable + 2);
    bytes.writeInt32LE(at - vtable, at);
    for (const slot of slots) {
      bytes.writeUInt16LE(FIELD_BYTES * (1 + slot), vtable + 4 + 2 * slot);
      writeField(table[slot]!, at + FIELD_BYTES * (1 + slot));
    }
    return at;
  }

  function writeField(field: Field, at: number): void {
    if ('int8' in field) bytes.writeInt8(field.int8, at);
    else if ('int32' in field) bytes.writeInt32LE(field.int32, at);
    else if ('int64' in field) bytes.writeBigInt64LE(BigInt(field.int64), at);
    else bytes.writeUInt32LE(writeReferred(field) - at, at);
  }

  function writeReferred(
    field: Exclude<Field, { int8: number } | { int32: number } | { int64: number }>,
  ): number {
    if ('table' in field) return writeTable(field.table);
    if ('text' in field) return writeText(field.text);
    if ('int64s' in field) {
      // The elements, not the length before them, stand on a multiple of eight.
      const at = allocate(12 + 8 * field.int64s.length) + 4;
      bytes.writeUInt32LE(field.int64s.length, at);
      for (const [i, value] of field.int64s.entries()) bytes.writeBigInt64LE(BigInt(value), at + 4 + 8 * i);
      return at;
    }
    const parts = 'tables' in field ? field.tables : field.texts;
    const at = allocate(4 + 4 * parts.length);
    bytes.writeUInt32LE(parts.length, at);
    for (const [i, part] of parts.entries()) {
      const to = typeof part === 'string' ? writeText(part) : writeTable(part);
      bytes.writeUInt32LE(to - (at + 4 + 4 * i), at + 4 + 4 * i);
    }
    return at;
  }

  function writeText(text: string): number {
    const encoded = Buffer.from(text);
    const at = allocate(4 + encoded.length + 1);
    bytes.writeUInt32LE(encoded.length, at);
    encoded.copy(bytes, at + 4);
    return at;
  }
}
