/**
 * Clients that send what is cheap for them and not for the server. Each ends with the connection or does no harm: memory
 * stays bounded, and another client is served meanwhile.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectFrames, type FrameClient, goawayOf } from '../../support/http2-client.ts';
import {
  continuation,
  data,
  dependency,
  FLAG,
  frame,
  headers,
  padded,
  ping,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { block, callBlock, literal } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { expectServing, turns } from './judge.ts';

const BLOCK = callBlock();
const { endHeaders, endStream } = FLAG;
const CANCEL = 8;

/** Frames are sent in portions of about so many bytes. */
const PORTION_BYTES = 64 * 1024;
/** Who has sent this much and is still there has done no harm, or would have by now. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Between two looks whether others are served. */
const LOOK_EVERY = 16;
/** What the server may hold for it, all counted; a copy of what was sent would be as much again. */
const MOST_GROWTH_BYTES = 12 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function heldBytes(): Promise<number> {
  await turns(3);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let served: Served;
beforeEach(async () => {
  // As it is outside of tests.
  served = await serveHttp2({ minRecvPingIntervalMs: 5000 });
  await expectServing(served.port);
});
afterEach(() => served.close());

/**
 * Sends one portion after the other, until the connection ends, the server stops reading, or it was enough.
 * @param portion the frames of turn `at`
 * @returns the most that was held meanwhile, and how it ended
 */
async function flood(
  client: FrameClient,
  portion: (at: number) => Buffer,
): Promise<{ readonly grown: number; readonly end: string }> {
  const before = await heldBytes();
  let grown = 0;
  let sent = 0;
  let end = 'harmless';
  for (let at = 0; sent < MOST_BYTES; at += 1) {
    const bytes = portion(at);
    const isOut = await Promise.race([client.writeOut(bytes).then(() => true), stalled(served.port)]);
    sent += bytes.length;
    if (client.isOver) {
      end = goawayOf(client) ?? 'closed';
      break;
    }
    if (!isOut) {
      end = 'not read';
      break;
    }
    if (at % LOOK_EVERY > 0) continue;
    await expectServing(served.port);
    grown = Math.max(grown, (await heldBytes()) - before);
  }
  await expectServing(served.port);
  grown = Math.max(grown, (await heldBytes()) - before);
  return { grown, end };
}

/** Many calls of another client later. */
async function stalled(port: number): Promise<false> {
  for (let count = 0; count < 50; count += 1) await expectServing(port);
  return false;
}

const repeated = (frames: Uint8Array) => {
  const portion = Buffer.concat(
    Array.from({ length: Math.ceil(PORTION_BYTES / frames.length) }, () => frames),
  );
  return () => portion;
};

/** Frames of streams, each of its own. */
function ofStreams(framesOf: (streamId: number) => Uint8Array, count: number): (at: number) => Buffer {
  return (at) =>
    Buffer.concat(
      Array.from({ length: count }, (_, index) => Buffer.from(framesOf(2 * (at * count + index) + 1001))),
    );
}

const slow = message('slow', { model: 'held' });
const bad = Buffer.concat([BLOCK, literal('Upper', 'v')]);

interface Flood {
  readonly what: string;
  /** Sent first. */
  readonly first?: Uint8Array;
  readonly portion: (at: number) => Buffer;
  /** Reads nothing of what the server says, and so not that it has ended the connection. Default false. */
  readonly isDeaf?: boolean;
  readonly ends?: readonly string[];
}

const CALM = ['ENHANCE_YOUR_CALM', 'closed'];
const ANY = [
  ...CALM,
  'harmless',
  'not read',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'STREAM_CLOSED',
];

const FLOODS: readonly Flood[] = [
  {
    what: 'streams that are opened and reset (CVE-2023-44487)',
    portion: ofStreams((id) => Buffer.concat([headers(id, BLOCK), rstStream(id, CANCEL)]), 300),
    ends: CALM,
  },
  {
    what: 'calls that are reset as soon as they run',
    portion: ofStreams((id) => Buffer.concat([call(id, slow), rstStream(id, CANCEL)]), 200),
    ends: CALM,
  },
  {
    what: 'streams that the server has to reset: malformed',
    portion: ofStreams((id) => headers(id, bad, endHeaders | endStream), 300),
  },
  {
    what: 'streams that the server has to reset: by windows that are none (CVE-2025-8671)',
    portion: ofStreams((id) => Buffer.concat([headers(id, BLOCK), windowUpdate(id, 0)]), 300),
    ends: CALM,
  },
  {
    what: 'streams that the server has to reset: by windows that are too large (CVE-2025-8671)',
    portion: ofStreams((id) => Buffer.concat([call(id, slow), windowUpdate(id, 2 ** 31 - 1)]), 200),
    ends: CALM,
  },
  {
    what: 'streams that the server has to reset: by what comes after their end (CVE-2025-8671)',
    portion: ofStreams((id) => Buffer.concat([call(id, slow), data(id, Buffer.of(1))]), 200),
    ends: CALM,
  },
  {
    what: 'streams that the server has to reset: too many at once',
    portion: ofStreams((id) => headers(id, BLOCK), 300),
  },
  {
    what: 'resets of streams that have gone',
    first: Buffer.concat([headers(1, BLOCK), rstStream(1, CANCEL)]),
    portion: repeated(rstStream(1, CANCEL)),
  },
  {
    what: 'a header block without an end (CVE-2024-27316)',
    first: headers(1, BLOCK, 0),
    portion: repeated(continuation(1, block([['x', 'v'.repeat(2000)]]), 0)),
    ends: [...CALM, 'PROTOCOL_ERROR', 'COMPRESSION_ERROR', 'INTERNAL_ERROR'],
  },
  {
    what: 'a header block of small frames without an end',
    first: headers(1, BLOCK, 0),
    portion: repeated(continuation(1, block([['x', '']]), 0)),
    ends: [...CALM, 'PROTOCOL_ERROR', 'COMPRESSION_ERROR', 'INTERNAL_ERROR'],
  },
  {
    what: 'a header block of frames without content, without an end',
    first: headers(1, BLOCK, 0),
    portion: repeated(continuation(1, Buffer.alloc(0), 0)),
    ends: [...CALM, 'PROTOCOL_ERROR', 'INTERNAL_ERROR'],
  },
  { what: 'pings (CVE-2019-9512)', portion: repeated(ping('x')), ends: CALM },
  {
    what: 'pings, of which no answer is read (CVE-2019-9512)',
    portion: repeated(ping('x')),
    isDeaf: true,
  },
  { what: 'answers to pings that nobody sent', portion: repeated(ping('x', FLAG.ack)) },
  { what: 'settings (CVE-2019-9515)', portion: repeated(settings([])) },
  {
    what: 'settings, of which no answer is read (CVE-2019-9515)',
    portion: repeated(settings([])),
    isDeaf: true,
  },
  {
    what: 'settings that change all windows',
    first: Buffer.concat(Array.from({ length: 100 }, (_, at) => call(2 * at + 1, slow))),
    portion: repeated(
      Buffer.concat([
        settings([[SETTING.initialWindowSize, 1]]),
        settings([[SETTING.initialWindowSize, 65_535]]),
      ]),
    ),
  },
  {
    what: 'settings of all the length there is',
    portion: repeated(settings(Array.from({ length: 2730 }, (_, at) => [0x100 + at, at]))),
  },
  {
    what: 'DATA of nothing (CVE-2019-9518)',
    first: headers(1, BLOCK),
    portion: repeated(data(1, Buffer.alloc(0))),
  },
  {
    what: 'DATA of padding alone',
    first: headers(1, BLOCK),
    portion: repeated(data(1, padded(0, Buffer.alloc(0)), FLAG.padded)),
  },
  {
    what: 'DATA that nobody waits for any more',
    first: Buffer.concat([headers(1, BLOCK), rstStream(1, CANCEL)]),
    portion: repeated(data(1, Buffer.of(1))),
  },
  {
    what: 'updates of a window, one byte each',
    first: headers(1, BLOCK),
    portion: repeated(Buffer.concat([windowUpdate(0, 1), windowUpdate(1, 1)])),
  },
  {
    what: 'updates of windows of streams that have gone',
    first: call(1),
    portion: repeated(windowUpdate(1, 1)),
  },
  { what: 'priorities (CVE-2019-9513)', portion: repeated(frame(TYPE.priority, 0, 3, dependency(1))) },
  {
    what: 'priorities of ever other streams',
    portion: ofStreams((id) => frame(TYPE.priority, 0, id, dependency(0)), 4000),
  },
  { what: 'frames that nobody knows', portion: repeated(frame(0xfa, 0, 0)) },
  { what: 'GOAWAY', portion: repeated(frame(TYPE.goaway, 0, 0, Buffer.alloc(8))) },
  {
    what: 'calls, of which no answer is read',
    portion: ofStreams((id) => call(id, message('a', { rows: 20 })), 100),
    isDeaf: true,
  },
  {
    what: 'calls of no method, of which no answer is read',
    portion: ofStreams(
      (id) =>
        headers(
          id,
          block([
            [':method', 'GET'],
            [':scheme', 'http'],
            [':path', '/'],
            [':authority', 'x'],
          ]),
          endHeaders | endStream,
        ),
      600,
    ),
    isDeaf: true,
  },
];

describe('a flood of', () => {
  it.each(FLOODS)('$what', async ({ first, portion, isDeaf = false, ends = ANY }) => {
    const client = await connectFrames(served.port, { keep: false });
    if (isDeaf) client.socket.pause();
    if (first !== undefined) client.write(first);
    const { grown, end } = await flood(client, portion);
    expect(ends).toContain(end);
    expect(grown).toBeLessThan(MOST_GROWTH_BYTES);
    expect(served.faults).toEqual([]);
    client.destroy();
    served.release();
    await expectServing(served.port);
  });
});

describe('a client that reads nothing', () => {
  it('costs no more than what waits for it, in however many pieces', async () => {
    const wide = { settings: [[SETTING.initialWindowSize, 2 ** 31 - 1]] as const, keep: false };
    const client = await connectFrames(served.port, wide);
    client.socket.pause();
    client.write(windowUpdate(0, 2 ** 30));
    const long = message('long', { rows: 10_000 });
    for (let streamId = 1; streamId < 200; streamId += 2) await client.writeOut(call(streamId, long));
    const before = await heldBytes();
    // Each is answered by itself.
    for (let count = 0; count < 2000; count += 1) {
      await client.writeOut(settings([]));
      await new Promise((turn) => setImmediate(turn));
    }
    expect((await heldBytes()) - before).toBeLessThan(MOST_GROWTH_BYTES);
    await expectServing(served.port);
    client.destroy();
  });
});

describe('answers that are taken byte by byte (CVE-2019-9511)', () => {
  it('are held once, and others are served', async () => {
    const client = await connectFrames(served.port, { settings: [[SETTING.initialWindowSize, 0]] });
    const ids = Array.from({ length: 10 }, (_, at) => 2 * at + 1);
    client.write(...ids.map((id) => call(id)));
    await client.waitFor(({ type, streamId }) => type === TYPE.headers && streamId === ids.at(-1));
    const turn = Buffer.concat(ids.map((id) => windowUpdate(id, 1)));
    while (!client.isOver && !ids.every((id) => client.outcomeOf(id).isEnded)) {
      const before = client.frames.length;
      client.write(turn);
      await client.waitFor(() => client.frames.length >= before + ids.length || client.outcomeOf(1).isEnded);
    }
    if (!client.isOver) for (const id of ids) expect(verdictOf(await client.outcome(id))).toBe('answered a');
    await expectServing(served.port);
    client.destroy();
  });
});
