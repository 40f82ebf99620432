/** The coding of header blocks (RFC 7541). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { data, FLAG, headers } from '../../support/http2-frames.ts';
import {
  CALL_FIELDS,
  callBlock,
  indexed,
  integer,
  LITERAL,
  literal,
  literalOf,
  MODEL_INFER,
  string,
  tableSize,
} from '../../support/http2-hpack.ts';
import { message, type Served, serveHttp2 } from '../../support/http2-server.ts';
import { type Case, judge } from './judge.ts';

const { endStream } = FLAG;
const COMPRESSION = 'connection COMPRESSION_ERROR';
const ANSWERED = 'answered a';
const BLOCK = callBlock();
const END = data(1, message('a'), endStream);

/** A call whose block has `more` behind the fields of a call. */
const calling = (...more: Uint8Array[]) => [headers(1, Buffer.concat([BLOCK, ...more])), END];
const hex = (text: string) => Buffer.from(text, 'hex');

/** `www.example.com` in the code of RFC 7541, appendix B (its C.4.1). */
const HUFFMAN = hex('f1e3c2e5f23a6ba0ab90f4ff');
/** Indices of the static table (appendix A). */
const AUTHORITY = 1;
const METHOD_POST = 3;
const PATH = 4;
const SCHEME_HTTP = 6;
const CONTENT_TYPE = 31;
/** The newest of the dynamic table. */
const NEWEST = 62;

/** A call's block by way of the static table. */
function shortBlock(authority: Uint8Array, kind: number = LITERAL.plain): Buffer {
  return Buffer.concat([
    indexed(METHOD_POST),
    indexed(SCHEME_HTTP),
    literalOf(PATH, string(MODEL_INFER)),
    literalOf(AUTHORITY, authority, kind),
    literalOf(CONTENT_TYPE, string('application/grpc')),
  ]);
}

/** A call with a field whose value is coded in this way. */
const coding = (huffman: string) => calling(Buffer.of(0), string('x'), string(hex(huffman), true));

const RIGHT: readonly Case[] = [
  {
    what: 'fields of the static table',
    section: '6.1',
    sends: [headers(1, shortBlock(string('127.0.0.1'))), END],
    verdicts: [ANSWERED],
  },
  ...Object.entries(LITERAL).map(([name, kind]) => ({
    what: `literals of each kind: ${name}`,
    section: '6.2',
    sends: [headers(1, Buffer.concat(CALL_FIELDS.map(([field, value]) => literal(field, value, kind)))), END],
    verdicts: [ANSWERED],
  })),
  ...Object.entries(LITERAL).map(([name, kind]) => ({
    what: `a Huffman-coded value: ${name}`,
    section: '5.2',
    sends: [headers(1, shortBlock(string(HUFFMAN, true), kind)), END],
    verdicts: [ANSWERED],
  })),
  {
    what: 'a value of no bytes, Huffman-coded',
    section: '5.2',
    sends: calling(Buffer.of(0), string('x'), string(hex(''), true)),
    verdicts: [ANSWERED],
  },
  {
    what: 'an integer with zeros at its end',
    section: '5.1',
    sends: calling(Buffer.of(0), string('x'), hex('7f80808000'), Buffer.alloc(127, 'v')),
    verdicts: [ANSWERED, COMPRESSION],
  },
  {
    what: 'a table made smaller and larger again, first of all',
    section: '4.2',
    sends: [headers(1, Buffer.concat([tableSize(0), tableSize(4096), BLOCK])), END],
    verdicts: [ANSWERED],
  },
  {
    what: 'a field larger than the table, which empties it',
    section: '4.4',
    sends: calling(literal('x', 'v'.repeat(5000), LITERAL.indexed)),
    verdicts: [ANSWERED],
  },
];

const WRONG: readonly Case[] = [
  { what: 'index 0', section: '6.1', sends: calling(indexed(0)), verdicts: [COMPRESSION] },
  {
    what: 'an index beyond the static table, and nothing in the other',
    section: '2.3.3',
    sends: calling(indexed(NEWEST)),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an index far beyond both',
    section: '2.3.3',
    sends: calling(indexed(2 ** 31)),
    verdicts: [COMPRESSION],
  },
  {
    what: "a name's index beyond both",
    section: '2.3.3',
    sends: calling(literalOf(NEWEST, string('v'))),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an index of a field that has been evicted',
    section: '4.4',
    sends: calling(
      literal('x', 'v', LITERAL.indexed),
      literal('y', 'v'.repeat(4095), LITERAL.indexed),
      indexed(NEWEST),
    ),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an integer that does not end within the block',
    section: '5.1',
    sends: calling(hex('ff80')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an integer of more than 32 bits',
    section: '5.1',
    sends: calling(hex('ffffffffff7f')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an integer of more than 64 bits',
    section: '5.1',
    sends: calling(hex('ffffffffffffffffffffffff7f')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'an integer that wraps around to a valid index',
    section: '5.1',
    sends: calling(hex('ff8380808010')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'zeros without end',
    section: '5.1',
    sends: calling(Buffer.of(0xff), Buffer.alloc(500, 0x80), Buffer.of(0)),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a name that ends after the block',
    section: '5.2',
    sends: calling(Buffer.of(0), integer(100, 7), Buffer.from('x')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a value that ends after the block',
    section: '5.2',
    sends: calling(Buffer.of(0), string('x'), integer(2, 7), Buffer.from('v')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a value whose length is more than could ever come',
    section: '5.2',
    sends: calling(Buffer.of(0), string('x'), integer(2 ** 31 - 1, 7)),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a field without a value',
    section: '6.2',
    sends: calling(Buffer.of(0), string('x')),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a field without anything',
    section: '6.2',
    sends: calling(Buffer.of(0x40)),
    verdicts: [COMPRESSION],
  },
  {
    what: 'Huffman padding of more than 7 bits',
    section: '5.2',
    sends: coding('f1e3c2e5f23a6ba0ab90f4ffff'),
    verdicts: [COMPRESSION],
  },
  {
    what: 'Huffman padding of zeros',
    section: '5.2',
    sends: coding('f1e3c2e5f23a6ba0ab90f4fe'),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a Huffman code for the end of the string',
    section: '5.2',
    sends: coding('fffffffc'),
    verdicts: [COMPRESSION],
  },
  {
    what: 'the end of the string, and codes behind it',
    section: '5.2',
    sends: coding('ffffffff1f3c2e5f'),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a Huffman code cut within',
    section: '5.2',
    sends: coding('fe'),
    verdicts: [COMPRESSION],
  },
  {
    what: 'a table larger than was offered',
    section: '6.3',
    sends: [headers(1, Buffer.concat([tableSize(65_537), BLOCK])), END],
    verdicts: [COMPRESSION],
  },
  {
    what: 'a new size of the table behind a field',
    section: '4.2',
    sends: calling(tableSize(0)),
    verdicts: [COMPRESSION],
  },
];

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe.each([
  ['rightly coded', RIGHT],
  ['wrongly coded', WRONG],
])('a header block %s', (_what, cases) => {
  it.each(cases)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});
