/** Frames that are wrong by themselves (RFC 9113, 4 and 6), and those that are right and unusual. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  goaway,
  headers,
  PREFACE,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { callBlock } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2 } from '../../support/http2-server.ts';
import { type Case, judge } from './judge.ts';

const { endHeaders, endStream, priority: hasPriority } = FLAG;
const PROTOCOL = 'connection PROTOCOL_ERROR';
const FRAME_SIZE = 'connection FRAME_SIZE_ERROR';
const FLOW = 'connection FLOW_CONTROL_ERROR';
const ANSWERED = 'answered a';

const BLOCK = callBlock();
const MESSAGE = message('a');
const END = data(1, MESSAGE, endStream);
const open = headers(1, BLOCK);
const bytes = (length: number) => Buffer.alloc(length);
const { priority: PRIORITY } = TYPE;

const ON_WRONG_STREAMS: readonly Case[] = [
  { what: 'DATA without a stream', section: '6.1', sends: [data(0, MESSAGE)], verdicts: [PROTOCOL] },
  { what: 'HEADERS without a stream', section: '6.2', sends: [headers(0, BLOCK)], verdicts: [PROTOCOL] },
  {
    what: 'PRIORITY without a stream',
    section: '6.3',
    sends: [frame(PRIORITY, 0, 0, dependency(1))],
    verdicts: [PROTOCOL],
  },
  { what: 'RST_STREAM without a stream', section: '6.4', sends: [rstStream(0, 8)], verdicts: [PROTOCOL] },
  {
    what: 'SETTINGS on a stream',
    section: '6.5',
    sends: [open, frame(TYPE.settings, 0, 1)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'PING on a stream',
    section: '6.7',
    sends: [open, frame(TYPE.ping, 0, 1, bytes(8))],
    verdicts: [PROTOCOL],
  },
  {
    what: 'GOAWAY on a stream',
    section: '6.8',
    sends: [open, frame(TYPE.goaway, 0, 1, bytes(8))],
    verdicts: [PROTOCOL],
  },
  {
    what: 'CONTINUATION without a stream',
    section: '6.10',
    sends: [continuation(0, BLOCK)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'PUSH_PROMISE from a client',
    section: '8.4',
    sends: [open, frame(TYPE.pushPromise, endHeaders, 1, Buffer.concat([uint32(2), BLOCK]))],
    verdicts: [PROTOCOL],
  },
];

const VALUES: readonly Case[] = [
  {
    what: 'ENABLE_PUSH of 2',
    section: '6.5.2',
    sends: [settings([[SETTING.enablePush, 2]])],
    verdicts: [PROTOCOL],
  },
  ...[2 ** 31, 2 ** 32 - 1].map((value) => ({
    what: `INITIAL_WINDOW_SIZE of ${value}`,
    section: '6.5.2',
    sends: [settings([[SETTING.initialWindowSize, value]])],
    verdicts: [FLOW],
  })),
  ...[0, 16_383, 2 ** 24].map((value) => ({
    what: `MAX_FRAME_SIZE of ${value}`,
    section: '6.5.2',
    sends: [settings([[SETTING.maxFrameSize, value]])],
    verdicts: [PROTOCOL],
  })),
  {
    what: 'settings at the ends of their ranges',
    section: '6.5.2',
    sends: [
      settings([
        [SETTING.headerTableSize, 2 ** 32 - 1],
        [SETTING.enablePush, 1],
        [SETTING.maxConcurrentStreams, 0],
        [SETTING.initialWindowSize, 2 ** 31 - 1],
        [SETTING.maxFrameSize, 2 ** 24 - 1],
        [SETTING.maxHeaderListSize, 2 ** 32 - 1],
      ]),
      call(1),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'a table of no bytes for the header blocks of answers',
    section: '6.5.2',
    sends: [settings([[SETTING.headerTableSize, 0]]), call(1)],
    verdicts: [ANSWERED],
  },
  {
    what: 'settings that nobody knows',
    section: '6.5.2',
    sends: [
      settings([
        [0xfff0, 1],
        [0, 2],
        [0x0a, 2 ** 32 - 1],
      ]),
      call(1),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'the same setting twice, of which the last counts',
    section: '6.5.3',
    sends: [
      settings([
        [SETTING.initialWindowSize, 0],
        [SETTING.initialWindowSize, 1000],
      ]),
      call(1),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'a PING that answers none',
    section: '6.7',
    sends: [ping('nobody', FLAG.ack), call(1)],
    verdicts: [ANSWERED],
  },
  {
    what: 'a WINDOW_UPDATE of 0 on the connection',
    section: '6.9',
    sends: [windowUpdate(0, 0)],
    verdicts: [PROTOCOL],
  },
  {
    what: 'a WINDOW_UPDATE of 0 on a stream',
    section: '6.9',
    sends: [open, windowUpdate(1, 0)],
    verdicts: ['reset PROTOCOL_ERROR', PROTOCOL],
  },
  {
    what: 'a window of the connection that grows beyond the largest',
    section: '6.9.1',
    sends: [windowUpdate(0, 2 ** 31 - 1)],
    verdicts: [FLOW],
  },
  {
    what: 'a window of a stream that grows beyond the largest',
    section: '6.9.1',
    sends: [open, windowUpdate(1, 2 ** 31 - 1)],
    verdicts: ['reset FLOW_CONTROL_ERROR', FLOW],
  },
  {
    what: 'windows that grow to the largest',
    section: '6.9.1',
    sends: [windowUpdate(0, 2 ** 31 - 1 - 65_535), open, windowUpdate(1, 2 ** 31 - 1 - 65_535), END],
    verdicts: [ANSWERED],
  },
  {
    what: 'a new INITIAL_WINDOW_SIZE by which the window of a stream grows beyond the largest',
    section: '6.9.2',
    sends: [open, windowUpdate(1, 2 ** 31 - 1 - 65_535), settings([[SETTING.initialWindowSize, 65_536]])],
    verdicts: [FLOW, 'reset FLOW_CONTROL_ERROR'],
  },
  {
    what: 'a RST_STREAM with a code that nobody knows',
    section: '7',
    sends: [open, rstStream(1, 0xdead_beef), call(3, message('b'))],
    verdicts: ['nothing'],
  },
];

const EXTENSIONS: readonly Case[] = [
  {
    what: 'frames of types that nobody knows',
    section: '5.5',
    sends: [
      frame(0xfa, 0xff, 0, bytes(30)),
      open,
      frame(0x16, 0, 1, bytes(3)),
      frame(0xff, 0, 99, bytes(0)),
      END,
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'flags that nobody knows',
    section: '4.1',
    sends: [
      headers(1, BLOCK, endHeaders | 0xd2),
      data(1, MESSAGE, endStream | 0xf6),
      frame(TYPE.ping, 0xfe, 0, bytes(8)),
      frame(TYPE.settings, 0xfe, 0),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'the bit of stream identifiers that is reserved',
    section: '4.1',
    sends: [headers(0x8000_0001, BLOCK), data(0x8000_0001, MESSAGE, endStream)],
    verdicts: [ANSWERED],
  },
  {
    what: 'the bit of increments that is reserved',
    section: '6.9',
    sends: [windowUpdate(0, 0x8000_0001), call(1)],
    verdicts: [ANSWERED],
  },
  {
    what: 'the bit of dependencies that is reserved',
    section: '6.3',
    sends: [frame(PRIORITY, 0, 1, dependency(0x8000_0003)), call(1)],
    verdicts: [ANSWERED],
  },
  {
    what: 'PRIORITY of streams in any state',
    section: '5.3',
    sends: [
      frame(PRIORITY, 0, 1, dependency(0)),
      open,
      frame(PRIORITY, 0, 1, dependency(3, 256)),
      END,
      frame(PRIORITY, 0, 1, dependency(5, 1)),
      frame(PRIORITY, 0, 2, dependency(1)),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'PRIORITY by which a stream depends on itself',
    section: '5.3',
    sends: [frame(PRIORITY, 0, 1, dependency(1)), call(1)],
    verdicts: [ANSWERED, PROTOCOL, 'reset PROTOCOL_ERROR'],
  },
  {
    what: 'HEADERS by which a stream depends on itself',
    section: '5.3',
    sends: [headers(1, Buffer.concat([dependency(1), BLOCK]), endHeaders | hasPriority), END],
    verdicts: [ANSWERED, PROTOCOL, 'reset PROTOCOL_ERROR'],
  },
  {
    what: 'SETTINGS, PING and WINDOW_UPDATE between the frames of a call',
    section: '5.1',
    sends: [
      open,
      settings([]),
      data(1, MESSAGE.subarray(0, 1)),
      ping('x'),
      windowUpdate(1, 1),
      windowUpdate(0, 1),
      data(1, MESSAGE.subarray(1)),
      frame(PRIORITY, 0, 1, dependency(0)),
      data(1, bytes(0), endStream),
    ],
    verdicts: [ANSWERED],
  },
  {
    what: 'GOAWAY, and then the rest of a call',
    section: '6.8',
    sends: [open, goaway(0, 0), END],
    verdicts: [ANSWERED, 'closed', 'connection NO_ERROR'],
  },
  { what: 'a second preface', section: '3.4', sends: [PREFACE], verdicts: [FRAME_SIZE, PROTOCOL] },
];

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe.each([
  ['on a stream where they may not be', ON_WRONG_STREAMS],
  ['with values at their limits and beyond', VALUES],
  ['that are none of the call', EXTENSIONS],
])('frames %s', (_what, cases) => {
  it.each(cases)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});
