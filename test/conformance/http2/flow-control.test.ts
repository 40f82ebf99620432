/** Windows, of streams and of the connection, in both directions (RFC 9113, 5.2 and 6.9). */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectFrames, type FrameClient, goawayOf, settingOf } from '../../support/http2-client.ts';
import {
  DEFAULT_WINDOW,
  data,
  dataFrames,
  FLAG,
  headers,
  MAX_FRAME_BYTES,
  padded,
  rstStream,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { callBlock, callBlockTo, STREAM_INFER } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { expectServing } from './judge.ts';

const BLOCK = callBlock();
const { endStream } = FLAG;
const { initialWindowSize, maxFrameSize } = SETTING;
const LARGEST = 2 ** 31 - 1;

/** More than all windows of a server hold. */
const MOST_IN_WINDOWS = 32 * 1024 * 1024;

/** 160 kB, which two and a half default windows hold. */
const LONG = message('long', { rows: 10_000 });

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

const withWindow = (bytes: number) => connectFrames(served.port, { settings: [[initialWindowSize, bytes]] });
const bodyOf = (client: FrameClient, streamId: number) => client.outcomeOf(streamId).body.length;

/** Until so much of a stream's body has come, and no more does. */
async function expectBody(client: FrameClient, streamId: number, length: number): Promise<void> {
  await client.waitFor(() => bodyOf(client, streamId) >= length);
  expect(await client.isAlive()).toBe(true);
  expect(bodyOf(client, streamId)).toBe(length);
}

const longest = (client: FrameClient) =>
  Math.max(...client.frames.filter(({ type }) => type === TYPE.data).map(({ payload }) => payload.length));

describe('an answer', () => {
  it('waits for a window, and its head does not', async () => {
    const client = await withWindow(0);
    client.write(call(1));
    await client.waitFor(({ type, streamId }) => type === TYPE.headers && streamId === 1);
    await expectBody(client, 1, 0);
    client.write(windowUpdate(1, 1000));
    expect(verdictOf(await client.outcome(1))).toBe('answered a');
    client.destroy();
  });

  it('has the right bytes, and its trailers, through a window of one byte', async () => {
    const client = await withWindow(1);
    client.write(call(1));
    for (let length = 1; !client.outcomeOf(1).isEnded; length += 1) {
      await client.waitFor(() => bodyOf(client, 1) >= length || client.outcomeOf(1).isEnded);
      expect(bodyOf(client, 1)).toBeLessThanOrEqual(length);
      client.write(windowUpdate(1, 1));
      if (bodyOf(client, 1) < length) break;
    }
    expect(verdictOf(await client.outcome(1))).toBe('answered a');
    expect(longest(client)).toBe(1);
    client.destroy();
  });

  it.each([
    ['its stream', 1],
    ['the connection', 0],
  ])('ends exactly where the window of %s does', async (_what, streamId) => {
    const client = await connectFrames(served.port);
    const other = 1 - streamId;
    if (other === 0) client.write(windowUpdate(0, 1_000_000));
    client.write(headers(1, BLOCK));
    if (other === 1) client.write(windowUpdate(1, 1_000_000));
    client.write(dataFrames(1, LONG, endStream));
    await expectBody(client, 1, DEFAULT_WINDOW);
    client.write(windowUpdate(streamId, 10));
    await expectBody(client, 1, DEFAULT_WINDOW + 10);
    client.write(windowUpdate(streamId, 1_000_000));
    expect(verdictOf(await client.outcome(1))).toBe('answered long');
    client.destroy();
  });

  it('that waits for its window does not keep others from theirs', async () => {
    const client = await withWindow(100);
    const ids = [1, 3, 5, 7];
    for (const id of ids) client.write(call(id, LONG));
    client.write(call(9, message('short')));
    client.write(windowUpdate(9, 1000));
    expect(verdictOf(await client.outcome(9))).toBe('answered short');
    for (const id of ids) await expectBody(client, id, 100);
    client.write(windowUpdate(0, 1_000_000));
    for (const id of ids.toReversed()) {
      client.write(windowUpdate(id, 1_000_000));
      expect(verdictOf(await client.outcome(id))).toBe('answered long');
    }
    client.destroy();
  });

  it('shares the window of the connection with others, which is used up and no more', async () => {
    const client = await withWindow(LARGEST);
    const ids = [1, 3, 5];
    for (const id of ids) client.write(call(id, LONG));
    const all = () => ids.reduce((sum, id) => sum + bodyOf(client, id), 0);
    await client.waitFor(() => all() >= DEFAULT_WINDOW);
    expect(await client.isAlive()).toBe(true);
    expect(all()).toBe(DEFAULT_WINDOW);
    // Heads need no window.
    client.write(call(7, message('late')));
    await client.waitFor(({ type, streamId }) => type === TYPE.headers && streamId === 7);
    while (!ids.every((id) => client.outcomeOf(id).isEnded)) {
      const before = all();
      client.write(windowUpdate(0, 50_000));
      expect(await client.isAlive()).toBe(true);
      expect(all()).toBeLessThanOrEqual(before + 50_000);
    }
    client.write(windowUpdate(0, 50_000));
    for (const id of ids) expect(verdictOf(client.outcomeOf(id))).toBe('answered long');
    expect(verdictOf(await client.outcome(7))).toBe('answered late');
    client.destroy();
  });

  it('gives back what it held of the connection when its stream is reset', async () => {
    const client = await withWindow(LARGEST);
    client.write(call(1, LONG));
    await client.waitFor(() => bodyOf(client, 1) >= DEFAULT_WINDOW);
    client.write(call(3, message('b')), rstStream(1, 8), windowUpdate(0, 1000));
    expect(verdictOf(await client.outcome(3))).toBe('answered b');
    client.destroy();
  });
});

describe('a new INITIAL_WINDOW_SIZE', () => {
  it('opens the windows of streams that wait', async () => {
    const client = await withWindow(0);
    client.write(call(1), call(3, message('b')));
    await client.waitFor(({ type, streamId }) => type === TYPE.headers && streamId === 3);
    client.write(settings([[initialWindowSize, 1000]]));
    expect(verdictOf(await client.outcome(1))).toBe('answered a');
    expect(verdictOf(await client.outcome(3))).toBe('answered b');
    client.destroy();
  });

  it('makes windows negative, which then must be made up for', async () => {
    const client = await withWindow(20_000);
    client.write(call(1, LONG));
    await expectBody(client, 1, 20_000);
    client.write(settings([[initialWindowSize, 5000]]), windowUpdate(1, 15_000));
    await expectBody(client, 1, 20_000);
    client.write(windowUpdate(1, 1));
    await expectBody(client, 1, 20_001);
    client.write(settings([[initialWindowSize, 0]]), settings([[initialWindowSize, 5001]]));
    await expectBody(client, 1, 20_002);
    client.write(windowUpdate(0, 1_000_000), settings([[initialWindowSize, 1_000_000]]));
    expect(verdictOf(await client.outcome(1))).toBe('answered long');
    client.destroy();
  });

  it('says nothing of the window of the connection', async () => {
    const client = await connectFrames(served.port);
    client.write(settings([[initialWindowSize, LARGEST]]), call(1, LONG));
    await expectBody(client, 1, DEFAULT_WINDOW);
    client.write(windowUpdate(0, 1_000_000));
    expect(verdictOf(await client.outcome(1))).toBe('answered long');
    client.destroy();
  });
});

describe('MAX_FRAME_SIZE', () => {
  it('is not exceeded, as it was or as it is', async () => {
    const client = await connectFrames(served.port, { settings: [[initialWindowSize, LARGEST]] });
    client.write(windowUpdate(0, 100_000_000), call(1, LONG));
    expect(verdictOf(await client.outcome(1))).toBe('answered long');
    expect(longest(client)).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    client.write(settings([[maxFrameSize, 2 ** 24 - 1]]), call(3, LONG));
    expect(verdictOf(await client.outcome(3))).toBe('answered long');
    client.write(settings([[maxFrameSize, MAX_FRAME_BYTES]]));
    await client.isAlive();
    const seen = client.frames.length;
    client.write(call(5, LONG));
    expect(verdictOf(await client.outcome(5))).toBe('answered long');
    expect(longest({ ...client, frames: client.frames.slice(seen) })).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    client.destroy();
  });
});

it('an answer is whole through windows that open in any way', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('stream' as const), bytes: fc.integer({ min: 1, max: 9000 }) }),
    fc.record({ kind: fc.constant('connection' as const), bytes: fc.integer({ min: 1, max: 9000 }) }),
    fc.record({ kind: fc.constant('initial' as const), bytes: fc.integer({ min: 0, max: 9000 }) }),
    fc.record({ kind: fc.constant('frame' as const), bytes: fc.integer({ min: 16_384, max: 40_000 }) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 9000 }),
      fc.array(step, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 3 }),
      async (first, steps, rows) => {
        const client = await withWindow(first);
        const ids = rows.map((_, at) => 2 * at + 1);
        client.write(...rows.map((count, at) => call(2 * at + 1, message(`r${at}`, { rows: count }))));
        await client.waitFor(({ type, streamId }) => type === TYPE.headers && streamId === ids.at(-1));
        let initial = first;
        let granted = 0;
        /** The most that a stream might ever send so far: a window that shrinks takes nothing back. */
        let most = first;
        let connection = DEFAULT_WINDOW;
        for (const { kind, bytes } of steps) {
          if (kind === 'stream') {
            granted += bytes;
            client.write(...ids.map((id) => windowUpdate(id, bytes)));
          } else if (kind === 'connection') {
            connection += bytes;
            client.write(windowUpdate(0, bytes));
          } else if (kind === 'initial') {
            initial = bytes;
            client.write(settings([[initialWindowSize, bytes]]));
          } else client.write(settings([[maxFrameSize, bytes]]));
          most = Math.max(most, initial + granted);
          expect(await client.isAlive()).toBe(true);
          const sent = ids.map((id) => bodyOf(client, id));
          expect(Math.max(...sent)).toBeLessThanOrEqual(most);
          expect(sent.reduce((sum, one) => sum + one)).toBeLessThanOrEqual(connection);
        }
        client.write(windowUpdate(0, 1_000_000), settings([[initialWindowSize, 1_000_000]]));
        for (const [at, id] of ids.entries()) {
          expect(verdictOf(await client.outcome(id))).toBe(`answered r${at}`);
        }
        client.destroy();
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

describe('what the client sends', () => {
  /** Sends frames as the windows of the server allow, of which each takes all of its payload. */
  async function sendWithin(client: FrameClient, streamId: number, frames: readonly Buffer[]): Promise<void> {
    const initial = (await settingOf(client, 'initialWindowSize')) ?? DEFAULT_WINDOW;
    const granted = (id: number) =>
      client.frames
        .filter((one) => one.type === TYPE.windowUpdate && one.streamId === id)
        .reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
    let sent = 0;
    for (const one of frames) {
      const size = one.readUIntBE(0, 3);
      const isOpen = () =>
        sent + size <= Math.min(initial + granted(streamId), DEFAULT_WINDOW + granted(0)) ||
        client.outcomeOf(streamId).isEnded;
      if (!isOpen()) await client.waitFor(isOpen);
      sent += size;
      client.write(one);
    }
  }

  it('gets its windows back, padding and all', async () => {
    const client = await connectFrames(served.port);
    client.write(headers(1, BLOCK));
    const whole = message('a', { rows: 500 });
    // Two megabytes, of which few bytes are the message.
    const frames = [...whole].map((byte, at) =>
      data(1, padded(255, Buffer.of(byte)), FLAG.padded | (at === whole.length - 1 ? endStream : 0)),
    );
    await sendWithin(client, 1, frames);
    expect(verdictOf(await client.outcome(1))).toBe('answered a');
    client.destroy();
  });

  it('gets the window of the connection back where the stream has gone', async () => {
    const client = await connectFrames(served.port);
    const piece = Buffer.alloc(MAX_FRAME_BYTES);
    for (let streamId = 1; streamId < 80; streamId += 2) {
      // More than a megabyte is on its way when the server hears that nobody wants it.
      client.write(headers(streamId, BLOCK));
      client.write(...Array.from({ length: 32 }, () => data(streamId, piece)), rstStream(streamId, 8));
      expect(await client.isAlive()).toBe(true);
    }
    client.write(call(101));
    expect(verdictOf(await client.outcome(101))).toBe('answered a');
    client.destroy();
  });

  it('beyond a window of the server ends the stream or the connection', async () => {
    const client = await connectFrames(served.port);
    // Of a stream of calls one is answered after the other, and the rest is not read until then.
    client.write(headers(1, callBlockTo(STREAM_INFER)));
    const slow = message('slow', { model: 'held', rows: 1000 });
    const isRefused = () => client.isOver || client.outcomeOf(1).reset !== undefined;
    for (let sent = 0; sent < MOST_IN_WINDOWS && !isRefused(); sent += slow.length) {
      await client.writeOut(data(1, slow));
    }
    await client.waitFor(isRefused);
    const { reset } = client.outcomeOf(1);
    expect(reset ?? goawayOf(client)).toBe('FLOW_CONTROL_ERROR');
    client.destroy();
    served.release();
    await expectServing(served.port);
  });
});
