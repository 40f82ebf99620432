/** The states of streams, and their number (RFC 9113, 5.1). */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectFrames, settingOf } from '../../support/http2-client.ts';
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  headers,
  rstStream,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { block, callBlock, indexed, LITERAL, literal } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { type Case, judge, turns } from './judge.ts';

const { endHeaders, endStream } = FLAG;
const PROTOCOL = 'connection PROTOCOL_ERROR';
const CLOSED = ['connection STREAM_CLOSED', 'reset STREAM_CLOSED'];
const ANSWERED = 'answered a';
const BLOCK = callBlock();
const MESSAGE = message('a');
const SLOW = message('a', { model: 'held' });
const END = data(1, MESSAGE, endStream);
const open = headers(1, BLOCK);
const CANCEL = 8;

const IDLE: readonly Case[] = [
  { what: 'DATA', section: '5.1', sends: [END], verdicts: [PROTOCOL] },
  { what: 'RST_STREAM', section: '5.1', sends: [rstStream(1, CANCEL)], verdicts: [PROTOCOL] },
  { what: 'WINDOW_UPDATE', section: '5.1', sends: [windowUpdate(1, 1)], verdicts: [PROTOCOL] },
  { what: 'CONTINUATION', section: '6.10', sends: [continuation(1, BLOCK)], verdicts: [PROTOCOL] },
  {
    what: 'PRIORITY, which is right',
    section: '5.1',
    sends: [frame(TYPE.priority, 0, 1, dependency(0)), call(1)],
    verdicts: [ANSWERED],
  },
  { what: 'HEADERS on an even stream', section: '5.1.1', sends: [call(2)], verdicts: [PROTOCOL] },
  { what: 'DATA on an even stream', section: '5.1.1', sends: [data(2, MESSAGE)], verdicts: [PROTOCOL] },
  {
    what: 'HEADERS on a stream below one that was opened',
    section: '5.1.1',
    sends: [call(5), call(1)],
    verdicts: [PROTOCOL, ...CLOSED],
  },
  {
    what: 'DATA on a stream below one that was opened',
    section: '5.1.1',
    sends: [call(5), END],
    verdicts: [PROTOCOL, ...CLOSED],
  },
];

/** The client has ended its half, and the call still runs. */
const HALF_CLOSED: readonly Case[] = [
  { what: 'DATA', section: '5.1', sends: [call(1, SLOW), data(1, MESSAGE)], verdicts: CLOSED },
  {
    what: 'DATA of nothing',
    section: '5.1',
    sends: [call(1, SLOW), data(1, Buffer.alloc(0), endStream)],
    verdicts: CLOSED,
  },
  { what: 'HEADERS', section: '5.1', sends: [call(1, SLOW), open], verdicts: [...CLOSED, PROTOCOL] },
  {
    what: 'trailers',
    section: '5.1',
    sends: [call(1, SLOW), headers(1, block([['x', 'v']]), endHeaders | endStream)],
    verdicts: [...CLOSED, PROTOCOL],
  },
  {
    what: 'WINDOW_UPDATE and PRIORITY, which are right',
    section: '5.1',
    sends: [call(1, SLOW), windowUpdate(1, 5), frame(TYPE.priority, 0, 1, dependency(0))],
    verdicts: [ANSWERED, 'nothing'],
  },
  {
    what: 'RST_STREAM, which is right',
    section: '5.1',
    sends: [call(1, SLOW), rstStream(1, CANCEL)],
    verdicts: ['nothing'],
  },
];

/** The client has reset it. */
const RESET: readonly Case[] = [
  {
    what: 'DATA',
    section: '5.1',
    sends: [open, rstStream(1, CANCEL), END],
    verdicts: CLOSED,
  },
  {
    what: 'HEADERS',
    section: '5.1',
    sends: [open, rstStream(1, CANCEL), open],
    verdicts: [...CLOSED, PROTOCOL],
  },
  {
    what: 'CONTINUATION',
    section: '6.10',
    sends: [open, rstStream(1, CANCEL), continuation(1, BLOCK)],
    verdicts: [PROTOCOL, ...CLOSED],
  },
  {
    what: 'WINDOW_UPDATE, RST_STREAM and PRIORITY, which may still come',
    section: '5.1',
    sends: [
      open,
      rstStream(1, CANCEL),
      windowUpdate(1, 1),
      rstStream(1, CANCEL),
      frame(TYPE.priority, 0, 1, dependency(0)),
    ],
    verdicts: ['nothing', ...CLOSED],
  },
  {
    what: 'the whole of it at once',
    section: '5.1',
    sends: [call(1, SLOW), rstStream(1, 0), call(3, message('b'))],
    verdicts: ['nothing'],
  },
];

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe.each([
  ['that nobody opened', IDLE],
  ['of which the client has ended its half', HALF_CLOSED],
  ['that the client has reset', RESET],
])('on a stream %s', (_what, cases) => {
  it.each(cases)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});

describe('on a stream that has been answered', () => {
  it.each<readonly [string, Uint8Array, readonly string[]]>([
    ['WINDOW_UPDATE', windowUpdate(1, 1), [ANSWERED]],
    ['WINDOW_UPDATE beyond the largest window', windowUpdate(1, 2 ** 31 - 1), [ANSWERED]],
    ['RST_STREAM', rstStream(1, 0), [ANSWERED]],
    ['PRIORITY', frame(TYPE.priority, 0, 1, dependency(0)), [ANSWERED]],
    ['DATA', END, CLOSED],
    ['HEADERS', open, [...CLOSED, PROTOCOL]],
    ['CONTINUATION', continuation(1, BLOCK), [PROTOCOL, ...CLOSED]],
  ])('%s', async (_what, bytes, verdicts) => {
    const client = await connectFrames(served.port);
    client.write(call(1));
    expect(verdictOf(await client.outcome(1))).toBe(ANSWERED);
    client.write(bytes, call(3, message('b')));
    await client.isAlive();
    const last = verdictOf(await client.outcome(3));
    const verdict = client.isOver ? 'connection' : verdictOf(client.outcomeOf(1));
    const plain = (all: readonly string[]) => all.map((one) => one.replace(/^connection .*/, 'connection'));
    expect(plain(verdicts)).toContain(verdict);
    if (verdict !== 'connection') expect(last).toBe('answered b');
    client.destroy();
  });
});

describe('streams', () => {
  it('may have any odd numbers that grow, up to the largest, which is the last', async () => {
    const client = await connectFrames(served.port);
    const last = 2 ** 31 - 1;
    for (const streamId of [1, 3, 1001, 2 ** 24 + 1, last]) {
      client.write(call(streamId, message('n')));
      expect(verdictOf(await client.outcome(streamId))).toBe('answered n');
    }
    expect(await client.isAlive()).toBe(true);
    client.destroy();
  });

  it('are answered each for itself, many at once, whatever order they come in', async () => {
    const client = await connectFrames(served.port);
    const ids = Array.from({ length: 200 }, (_, at) => 2 * at + 1);
    client.write(...ids.map((id) => headers(id, BLOCK)));
    const cut = (id: number) => message(`id-${id}`, { rows: 1 + (id % 5) });
    client.write(...ids.map((id) => data(id, cut(id).subarray(0, 1 + (id % 40)))));
    client.write(...ids.toReversed().map((id) => data(id, cut(id).subarray(1 + (id % 40)), endStream)));
    for (const id of ids) expect(verdictOf(await client.outcome(id))).toBe(`answered id-${id}`);
    client.destroy();
  });

  it('that are reset are cancelled, and leave room for others', async () => {
    const client = await connectFrames(served.port);
    for (let streamId = 1; streamId < 40; streamId += 2) {
      const before = served.held.length;
      client.write(call(streamId, SLOW));
      await vi.waitFor(() => expect(served.held).toHaveLength(before + 1));
      // Makes sure that there is a token to look at before the stream goes.
      const { cancel } = served.held.at(-1)!;
      expect(cancel.cancelled).toBe(false);
      client.write(rstStream(streamId, CANCEL));
      await vi.waitFor(() => expect(cancel.cancelled).toBe(true));
      served.release();
      expect(verdictOf(client.outcomeOf(streamId))).toBe('nothing');
    }
    client.write(call(41));
    expect(verdictOf(await client.outcome(41))).toBe(ANSWERED);
    client.destroy();
  });

  it('that are reset amid their answer send no more of it', async () => {
    const client = await connectFrames(served.port);
    client.write(call(1, message('long', { rows: 10_000 })));
    await client.waitFor(({ type, streamId }) => type === TYPE.data && streamId === 1);
    client.write(rstStream(1, CANCEL), windowUpdate(0, 1_000_000), windowUpdate(1, 1_000_000));
    client.write(call(3));
    expect(verdictOf(await client.outcome(3))).toBe(ANSWERED);
    const { body, isEnded } = client.outcomeOf(1);
    expect([isEnded, body.length <= 65_535]).toEqual([false, true]);
    client.destroy();
  });
});

describe('more streams at once than the server allows', () => {
  it('are refused as not begun, and there is room again when others have ended', async () => {
    const narrow = await serveHttp2({ maxConcurrentStreams: 2 });
    const client = await connectFrames(narrow.port);
    expect(await settingOf(client, 'maxConcurrentStreams')).toBe(2);
    await client.isAlive();
    client.write(call(1, SLOW), call(3, SLOW));
    await vi.waitFor(() => expect(narrow.held).toHaveLength(2));
    // What is refused still belongs to the table.
    const kept = Buffer.concat([BLOCK, literal('x', 'v', LITERAL.indexed)]);
    for (let streamId = 5; streamId < 25; streamId += 2) {
      client.write(headers(streamId, kept), data(streamId, MESSAGE, endStream));
      expect(verdictOf(await client.outcome(streamId))).toBe('reset REFUSED_STREAM');
    }
    narrow.release();
    expect(verdictOf(await client.outcome(1))).toBe(ANSWERED);
    expect(verdictOf(await client.outcome(3))).toBe(ANSWERED);
    await turns(2);
    client.write(headers(25, Buffer.concat([BLOCK, indexed(62)])), data(25, MESSAGE, endStream));
    expect(verdictOf(await client.outcome(25))).toBe(ANSWERED);
    expect(narrow.held).toHaveLength(2);
    client.destroy();
    await narrow.close();
  });
});
