/** How long frames are, and what is padding in them (RFC 9113, 4.2 and 6). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  headers,
  padded,
  SETTING,
  settings,
  TYPE,
} from '../../support/http2-frames.ts';
import { callBlock } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2 } from '../../support/http2-server.ts';
import { type Case, judge } from './judge.ts';

const { endHeaders, endStream, padded: isPadded, priority: hasPriority } = FLAG;
const PROTOCOL = 'connection PROTOCOL_ERROR';
const FRAME_SIZE = 'connection FRAME_SIZE_ERROR';
const ANSWERED = 'answered a';

const BLOCK = callBlock();
const MESSAGE = message('a');
const END = data(1, MESSAGE, endStream);
const open = headers(1, BLOCK);
/** One byte more than a frame may have. */
const LONG = Buffer.alloc(16_385);
const bytes = (length: number) => Buffer.alloc(length);
const { data: DATA, priority: PRIORITY, rstStream: RST, windowUpdate: WINDOW } = TYPE;

const SIZES: readonly Case[] = [
  {
    what: 'DATA longer than a frame may be',
    section: '4.2',
    sends: [open, data(1, LONG)],
    verdicts: [FRAME_SIZE, 'reset FRAME_SIZE_ERROR'],
  },
  {
    what: 'HEADERS longer than a frame may be',
    section: '4.2',
    sends: [headers(1, LONG)],
    verdicts: [FRAME_SIZE],
  },
  {
    what: 'CONTINUATION longer than a frame may be',
    section: '4.2',
    sends: [headers(1, BLOCK, 0), continuation(1, LONG)],
    verdicts: [FRAME_SIZE],
  },
  {
    what: 'SETTINGS longer than a frame may be',
    section: '4.2',
    sends: [frame(TYPE.settings, 0, 0, bytes(16_386))],
    verdicts: [FRAME_SIZE],
  },
  {
    what: 'an unknown frame longer than a frame may be',
    section: '4.2',
    sends: [frame(0xfa, 0, 0, LONG)],
    verdicts: [FRAME_SIZE],
  },
  {
    what: 'the longest length there is, and nothing of it',
    section: '4.2',
    sends: [open, frame(DATA, 0, 1, bytes(0), 0xff_ffff)],
    verdicts: [FRAME_SIZE, 'reset FRAME_SIZE_ERROR'],
  },
  ...[4, 6].map((length) => ({
    what: `PRIORITY of ${length} bytes`,
    section: '6.3',
    sends: [call(1), frame(PRIORITY, 0, 3, bytes(length))],
    verdicts: [ANSWERED, FRAME_SIZE],
  })),
  {
    what: 'PRIORITY of 4 bytes on a stream that no client may open',
    section: '6.3',
    sends: [call(3), frame(PRIORITY, 0, 2, bytes(4))],
    verdicts: [FRAME_SIZE],
  },
  ...[0, 3, 5].map((length) => ({
    what: `RST_STREAM of ${length} bytes`,
    section: '6.4',
    sends: [open, frame(RST, 0, 1, bytes(length))],
    verdicts: [FRAME_SIZE],
  })),
  ...[1, 5, 7].map((length) => ({
    what: `SETTINGS of ${length} bytes`,
    section: '6.5',
    sends: [frame(TYPE.settings, 0, 0, bytes(length))],
    verdicts: [FRAME_SIZE],
  })),
  {
    what: 'SETTINGS with ACK and a payload',
    section: '6.5',
    sends: [settings([[SETTING.enablePush, 0]], FLAG.ack)],
    verdicts: [FRAME_SIZE],
  },
  ...[0, 7, 9].map((length) => ({
    what: `PING of ${length} bytes`,
    section: '6.7',
    sends: [frame(TYPE.ping, 0, 0, bytes(length))],
    verdicts: [FRAME_SIZE],
  })),
  {
    what: 'GOAWAY of 7 bytes',
    section: '6.8',
    sends: [frame(TYPE.goaway, 0, 0, bytes(7))],
    verdicts: [FRAME_SIZE],
  },
  ...[0, 3, 5].map((length) => ({
    what: `WINDOW_UPDATE of ${length} bytes`,
    section: '6.9',
    sends: [open, frame(WINDOW, 0, 1, bytes(length))],
    verdicts: [FRAME_SIZE],
  })),
  {
    what: 'HEADERS too short for its priority',
    section: '6.2',
    sends: [headers(1, bytes(4), endHeaders | hasPriority)],
    verdicts: [FRAME_SIZE, PROTOCOL],
  },
  {
    what: 'HEADERS with padding and nothing else',
    section: '6.2',
    sends: [headers(1, bytes(0), endHeaders | isPadded)],
    verdicts: [FRAME_SIZE, PROTOCOL],
  },
  {
    what: 'DATA with padding and nothing else',
    section: '6.1',
    sends: [open, data(1, bytes(0), isPadded)],
    verdicts: [FRAME_SIZE, PROTOCOL],
  },
];

const PADDING: readonly Case[] = [
  {
    what: 'HEADERS with padding',
    section: '6.2',
    sends: [headers(1, padded(200, BLOCK), endHeaders | isPadded), END],
    verdicts: [ANSWERED],
  },
  {
    what: 'HEADERS with a priority',
    section: '6.2',
    sends: [headers(1, Buffer.concat([dependency(0), BLOCK]), endHeaders | hasPriority), END],
    verdicts: [ANSWERED],
  },
  {
    what: 'HEADERS with padding and a priority',
    section: '6.2',
    sends: [
      headers(1, padded(7, Buffer.concat([dependency(77, 256), BLOCK])), endHeaders | isPadded | hasPriority),
      END,
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'HEADERS padded by nothing',
    section: '6.2',
    sends: [headers(1, padded(0, BLOCK), endHeaders | isPadded), END],
    verdicts: [ANSWERED],
  },
  {
    what: 'HEADERS with more padding than payload',
    section: '6.2',
    sends: [headers(1, Buffer.concat([Buffer.of(255), bytes(20)]), endHeaders | isPadded)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'HEADERS whose padding reaches into its priority',
    section: '6.2',
    sends: [headers(1, Buffer.concat([Buffer.of(4), bytes(8)]), endHeaders | isPadded | hasPriority)],
    verdicts: [PROTOCOL, FRAME_SIZE],
  },
  {
    what: 'DATA with padding',
    section: '6.1',
    sends: [open, data(1, padded(255, MESSAGE), endStream | isPadded)],
    verdicts: [ANSWERED],
  },
  {
    what: 'DATA padded by nothing',
    section: '6.1',
    sends: [open, data(1, padded(0, MESSAGE), endStream | isPadded)],
    verdicts: [ANSWERED],
  },
  {
    what: 'DATA that is padding alone, amid the message',
    section: '6.1',
    sends: [
      open,
      data(1, MESSAGE.subarray(0, 9)),
      data(1, padded(99, bytes(0)), isPadded),
      data(1, MESSAGE.subarray(9), endStream),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'DATA with as much padding as payload',
    section: '6.1',
    sends: [open, data(1, Buffer.concat([Buffer.of(8), bytes(7)]), isPadded)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'DATA with more padding than payload',
    section: '6.1',
    sends: [open, data(1, Buffer.of(255), isPadded)],
    verdicts: [PROTOCOL],
  },
];

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe.each([
  ['of a wrong size', SIZES],
  ['with padding and priorities', PADDING],
])('frames %s', (_what, cases) => {
  it.each(cases)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});
