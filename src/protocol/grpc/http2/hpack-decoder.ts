import { ConnectionError, ERROR } from './constants.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** What we allow the other side to keep of its fields here: the default, which every side has at the start. */
export const HEADER_TABLE_BYTES = 4096;

/** Counted for each field besides its text (RFC 7541, 4.1; RFC 9113, 6.5.2). */
export const FIELD_OVERHEAD_BYTES = 32;

type Field = readonly [name: string, value: string];

/** Takes the fields of one block, in their order. */
export type UseField = (name: string, value: string) => void;

/**
 * Reads the header blocks of one connection (RFC 7541). All of them, in the order in which they came: each may change
 * what the next ones mean.
 */
export class HpackDecoder {
  /** How often a block has changed the table. A block that is the same as one before, with no change since, means the same. */
  changes = 0;
  /** The newest is the last; those before `#oldest` are gone. */
  #fields: Field[] = [];
  #oldest = 0;
  #sizeBytes = 0;
  #maxBytes = HEADER_TABLE_BYTES;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /**
   * @param block valid until this returns
   * @throws ConnectionError COMPRESSION_ERROR
   */
  decode(block: Buffer, use: UseField): void {
    this.#block = block;
    this.#at = 0;
    let mayResize = true;
    while (this.#at < block.length) {
      const first = block[this.#at]!;
      if (first >= 0x80) {
        const [name, value] = this.#field(this.#integer(7));
        use(name, value);
      } else if (first >= 0x40) this.#literal(6, use, true);
      else if (first >= 0x20) {
        if (!mayResize) throw broken('its table changes its size after a field');
        this.#resize(this.#integer(5));
        continue;
      } else this.#literal(4, use, false);
      mayResize = false;
    }
  }

  #literal(prefixBits: number, use: UseField, isKept: boolean): void {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#field(index)[0];
    const value = this.#string();
    if (isKept) this.#keep([name, value]);
    use(name, value);
  }

  #field(index: number): Field {
    if (index === 0) throw broken('there is no field 0');
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1]!;
    const at = this.#fields.length - (index - STATIC_TABLE.length);
    if (at < this.#oldest) throw broken('it names a field that is not there');
    return this.#fields[at]!;
  }

  #keep(field: Field): void {
    this.changes += 1;
    const sizeBytes = sizeOf(field);
    this.#makeRoom(this.#maxBytes - sizeBytes);
    if (sizeBytes > this.#maxBytes) return;
    this.#fields.push(field);
    this.#sizeBytes += sizeBytes;
  }

  #resize(maxBytes: number): void {
    if (maxBytes > HEADER_TABLE_BYTES) throw broken('its table is larger than was allowed');
    this.changes += 1;
    this.#maxBytes = maxBytes;
    this.#makeRoom(maxBytes);
  }

  #makeRoom(mostBytes: number): void {
    while (this.#sizeBytes > mostBytes && this.#oldest < this.#fields.length) {
      this.#sizeBytes -= sizeOf(this.#fields[this.#oldest]!);
      this.#oldest += 1;
    }
    // Now and then, so that a field costs the same whether or not others leave for it.
    if (this.#oldest < 64 && this.#oldest < this.#fields.length) return;
    this.#fields.splice(0, this.#oldest);
    this.#oldest = 0;
  }

  /** RFC 7541, 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      if (shift > 21) throw broken('it has a number that is too large');
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** RFC 7541, 5.2. */
  #string(): string {
    const isCoded = this.#at < this.#block.length && this.#block[this.#at]! >= 0x80;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw broken('it ends within a text');
    const text = isCoded
      ? decodeHuffman(this.#block.subarray(this.#at, end))?.toString('latin1')
      : this.#block.toString('latin1', this.#at, end);
    if (text === undefined) throw broken('it has a text that is no proper code');
    this.#at = end;
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw broken('it ends within a field');
    this.#at += 1;
    return byte;
  }
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}

function broken(what: string): ConnectionError {
  return new ConnectionError(ERROR.COMPRESSION_ERROR, `a header block cannot be read: ${what}`);
}
