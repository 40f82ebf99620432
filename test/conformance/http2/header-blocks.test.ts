/** The frames of header blocks (RFC 9113, 4.3 and 6.10), and the table that a connection has for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectFrames } from '../../support/http2-client.ts';
import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  ping,
  settings,
  TYPE,
} from '../../support/http2-frames.ts';
import { block, CALL_FIELDS, callBlock, indexed, LITERAL, literal } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { type Case, judge } from './judge.ts';

const { endHeaders, endStream } = FLAG;
const PROTOCOL = 'connection PROTOCOL_ERROR';
const ANSWERED = 'answered a';
const BLOCK = callBlock();
const END = data(1, message('a'), endStream);

/** The newest of the dynamic table. */
const NEWEST = 62;

const FRAMES: readonly Case[] = [
  {
    what: 'a block that others follow before it ends: DATA',
    section: '6.10',
    sends: [headers(1, BLOCK, 0), END],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that others follow before it ends: HEADERS',
    section: '6.10',
    sends: [headers(1, BLOCK, 0), call(3)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that others follow before it ends: PING',
    section: '6.10',
    sends: [headers(1, BLOCK, 0), ping('x')],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that others follow before it ends: SETTINGS',
    section: '6.10',
    sends: [headers(1, BLOCK, 0), settings([])],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that others follow before it ends: an unknown frame',
    section: '5.5',
    sends: [headers(1, BLOCK, 0), frame(0xfa, 0, 1)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that goes on on another stream',
    section: '6.10',
    sends: [headers(1, BLOCK.subarray(0, 9), 0), continuation(3, BLOCK.subarray(9))],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that goes on after its end',
    section: '6.10',
    sends: [headers(1, BLOCK), continuation(1, block([['x', 'v']]))],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block that begins with CONTINUATION',
    section: '6.10',
    sends: [continuation(1, BLOCK)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'CONTINUATION after DATA',
    section: '6.10',
    sends: [headers(1, BLOCK), data(1, message('a')), continuation(1, BLOCK)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a block at every byte in a frame of its own',
    section: '6.10',
    sends: [
      headers(1, Buffer.alloc(0), 0),
      ...[...BLOCK].map((byte, at) =>
        continuation(1, Buffer.of(byte), at === BLOCK.length - 1 ? endHeaders : 0),
      ),
      END,
    ],
    verdicts: [ANSWERED, 'connection ENHANCE_YOUR_CALM'],
  },
  {
    what: 'a block in three frames',
    section: '6.10',
    sends: [
      headers(1, BLOCK.subarray(0, 30), 0),
      continuation(1, BLOCK.subarray(30, 60), 0),
      continuation(1, BLOCK.subarray(60)),
      END,
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'a block with empty frames in between',
    section: '6.10',
    sends: [
      headers(1, BLOCK.subarray(0, 30), 0),
      continuation(1, Buffer.alloc(0), 0),
      continuation(1, BLOCK.subarray(30), 0),
      continuation(1, Buffer.alloc(0)),
      END,
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'the end of the stream, said before the end of the block',
    section: '6.10',
    sends: [headers(1, BLOCK.subarray(0, 30), endStream), continuation(1, BLOCK.subarray(30))],
    verdicts: ['refused'],
  },
  {
    what: 'a block of nothing',
    section: '8.1.1',
    sends: [headers(1, Buffer.alloc(0), endHeaders | endStream)],
    verdicts: ['reset PROTOCOL_ERROR', 'refused'],
  },
];

/** More than 16 KiB, which is what the server takes. */
const TOO_MUCH = Buffer.concat(Array.from({ length: 40 }, () => literal('x', 'v'.repeat(500))));

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe('the frames of a header block', () => {
  it.each(FRAMES)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});

it('a header block may be cut in two anywhere', async () => {
  const client = await connectFrames(served.port);
  for (let at = 0; at <= BLOCK.length; at += 1) {
    const streamId = 2 * at + 1;
    client.write(headers(streamId, BLOCK.subarray(0, at), 0), continuation(streamId, BLOCK.subarray(at)));
    client.write(data(streamId, message('a'), endStream));
    expect(verdictOf(await client.outcome(streamId))).toBe(ANSWERED);
  }
  client.destroy();
});

describe('the table of a connection', () => {
  const kept = Buffer.concat(CALL_FIELDS.map(([name, value]) => literal(name, value, LITERAL.indexed)));
  /** The fields that `kept` puts into an empty table, oldest first. */
  const again = Buffer.concat(CALL_FIELDS.map((_, at) => indexed(NEWEST + CALL_FIELDS.length - 1 - at)));

  it.each([
    ['that is answered', [headers(1, kept), END]],
    ['that is malformed', [headers(1, Buffer.concat([kept, literal('Upper', 'v')]), endHeaders | endStream)]],
    [
      'of which the fields are too many',
      [headers(1, Buffer.alloc(0), 0), ...pieces(Buffer.concat([TOO_MUCH, kept]))],
    ],
    ['that is reset at once', [headers(1, kept), frame(TYPE.rstStream, 0, 1, Buffer.alloc(4))]],
    [
      'that are trailers',
      [
        headers(1, BLOCK),
        data(1, message('a')),
        headers(1, literal('x', 'v', LITERAL.indexed), endHeaders | endStream),
        call(3),
        headers(5, kept),
        data(5, message('a'), endStream),
      ],
    ],
  ])('holds what a block %s put into it', async (_what, sends) => {
    const client = await connectFrames(served.port);
    client.write(...sends);
    client.write(headers(101, again), data(101, message('again'), endStream));
    expect(verdictOf(await client.outcome(101))).toBe('answered again');
    client.destroy();
  });

  it('forgets what does not fit, oldest first', async () => {
    const client = await connectFrames(served.port);
    // Five of these fit, with the 32 bytes that each counts besides (RFC 7541, 4.1).
    const entry = (digit: number) => literal(`x${digit}`, 'v'.repeat(800 - 34), LITERAL.indexed);
    const six = Buffer.concat([1, 2, 3, 4, 5, 6].map(entry));
    client.write(headers(1, Buffer.concat([BLOCK, six])), END);
    expect(verdictOf(await client.outcome(1))).toBe(ANSWERED);
    client.write(headers(3, Buffer.concat([BLOCK, indexed(NEWEST), indexed(NEWEST + 4)])));
    client.write(data(3, message('b'), endStream));
    expect(verdictOf(await client.outcome(3))).toBe('answered b');
    client.write(headers(5, Buffer.concat([BLOCK, indexed(NEWEST + 5)])));
    expect(await client.isAlive()).toBe(false);
    client.destroy();
  });
});

/** A block in frames of the size that may be, behind HEADERS without any of it. */
function pieces(whole: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < whole.length; at += 16_384) {
    const isLast = at + 16_384 >= whole.length;
    frames.push(continuation(1, whole.subarray(at, at + 16_384), isLast ? endHeaders : 0));
  }
  return frames;
}
