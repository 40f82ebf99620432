import { STATIC_TABLE } from './static-table.ts';

/** Fields that are to be sent, in their order. */
export type OutgoingHeaders = Readonly<Record<string, string | number>>;

/** What every answer that succeeds has. */
export const OK_HEAD = { ':status': '200', 'content-type': 'application/grpc' } as const;
export const OK_TRAILERS = { 'grpc-status': '0' } as const;

/** The client keeps these two for us, if it keeps anything: from the second time on each is one byte. */
const KEPT = { head: ['content-type', 'application/grpc'], trailers: ['grpc-status', '0'] } as const;

/** The newest field of a table has this index. */
const NEWEST = STATIC_TABLE.length + 1;

const INDEXED = 0x80;
const LITERAL_KEPT = 0x40;
const TABLE_SIZE = 0x20;
const LITERAL = 0x00;
const STATUS_200 = 8;

/** The index of a field's name. */
const NAME_INDEX = new Map<string, number>();
const PAIR_INDEX = new Map<string, number>();
for (const [index, [name, value]] of STATIC_TABLE.entries()) {
  if (!NAME_INDEX.has(name)) NAME_INDEX.set(name, index + 1);
  PAIR_INDEX.set(`${name}\n${value}`, index + 1);
}

/**
 * Writes the header blocks of one connection (RFC 7541), in the order in which they are sent. Texts are written as they
 * are: to code them would save some bytes and cost both sides more than these.
 */
export class HpackEncoder {
  /** Where the two kept fields stand in the client's table, counted from its first; 0: not there. */
  #headAt = 0;
  #trailersAt = 0;
  #count = 0;
  #keeps = true;
  /** The client has a smaller table than we thought: the next block must say that we use none. */
  #owesResize = false;

  /** Called with the client's SETTINGS_HEADER_TABLE_SIZE. */
  setTableSize(maxBytes: number): void {
    if (maxBytes >= 4096 || !this.#keeps) return;
    this.#keeps = false;
    this.#owesResize = true;
    this.#headAt = 0;
    this.#trailersAt = 0;
  }

  /** The block of an answer's head, of OK_HEAD where `more` is undefined. At most 128 bytes then. */
  writeOkHead(into: Buffer, start: number): number {
    const at = this.#writeResize(into, start);
    into[at] = INDEXED | STATUS_200;
    if (this.#headAt > 0) {
      into[at + 1] = INDEXED | (NEWEST + this.#count - this.#headAt);
      return at + 2;
    }
    const [name, value] = KEPT.head;
    if (this.#keeps) this.#headAt = this.#count += 1;
    return writeField(into, at + 1, name, value, this.#keeps);
  }

  /** The block of OK_TRAILERS. At most 32 bytes. */
  writeOkTrailers(into: Buffer, start: number): number {
    const at = this.#writeResize(into, start);
    if (this.#trailersAt > 0) {
      into[at] = INDEXED | (NEWEST + this.#count - this.#trailersAt);
      return at + 1;
    }
    const [name, value] = KEPT.trailers;
    if (this.#keeps) this.#trailersAt = this.#count += 1;
    return writeField(into, at, name, value, this.#keeps);
  }

  /** The block of any other fields. Nothing of it is kept. */
  encode(headers: OutgoingHeaders): Buffer {
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
    const most = fields.reduce((sum, [name, value]) => sum + 16 + name.length + value.length, 8);
    const into = Buffer.allocUnsafe(most);
    let at = this.#writeResize(into, 0);
    for (const [name, value] of fields) {
      const index = PAIR_INDEX.get(`${name}\n${value}`);
      if (index !== undefined) at = writeInteger(into, at, INDEXED, 7, index);
      else at = writeField(into, at, name, value, false);
    }
    return into.subarray(0, at);
  }

  #writeResize(into: Buffer, at: number): number {
    if (!this.#owesResize) return at;
    this.#owesResize = false;
    into[at] = TABLE_SIZE;
    return at + 1;
  }
}

function writeField(into: Buffer, start: number, name: string, value: string, isKept: boolean): number {
  const index = NAME_INDEX.get(name) ?? 0;
  let at = isKept
    ? writeInteger(into, start, LITERAL_KEPT, 6, index)
    : writeInteger(into, start, LITERAL, 4, index);
  if (index === 0) at = writeString(into, at, name);
  return writeString(into, at, value);
}

function writeString(into: Buffer, start: number, text: string): number {
  const at = writeInteger(into, start, 0, 7, text.length);
  return at + into.write(text, at, 'latin1');
}

/** RFC 7541, 5.1. */
function writeInteger(into: Buffer, start: number, flags: number, prefixBits: number, value: number): number {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    into[start] = flags | value;
    return start + 1;
  }
  into[start] = flags | mask;
  let at = start + 1;
  let rest = value - mask;
  for (; rest >= 0x80; at += 1) {
    into[at] = 0x80 | (rest & 0x7f);
    rest >>>= 7;
  }
  into[at] = rest;
  return at + 1;
}
