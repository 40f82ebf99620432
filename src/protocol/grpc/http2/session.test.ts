/** What a client does to a session that no decent one does, and what must not come of it. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ERROR, FLAG, FRAME, SETTING } from './constants.ts';
import { connectFrames, type FrameClient, frame, numberFrame, requestFrame } from './frame-client.ts';
import type { Session } from './session.ts';
import { serveSessions, WINDOW_BYTES } from './session-alone.ts';
import type { ServerStream } from './stream.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A session that does `serve` with each stream, and a client of it. */
async function start(
  serve: (stream: ServerStream) => void,
  settings: readonly (readonly [number, number])[] = [],
): Promise<{ readonly client: FrameClient; readonly session: Session }> {
  const served = await serveSessions(serve);
  const client = await connectFrames(served.port, settings);
  closing.push(served.close, () => client.socket.destroy());
  await vi.waitFor(() => expect(served.session()).toBeDefined());
  return { client, session: served.session()! };
}

/** Everything that was sent before has been looked at. */
async function answered(client: FrameClient): Promise<void> {
  const { pongs } = client;
  client.send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
  await vi.waitFor(() => expect(client.pongs).toBe(pongs + 1));
}

/** What makes us reset the stream that it is about. */
const PROVOKING: readonly (readonly [string, (id: number) => Buffer])[] = [
  ['WINDOW_UPDATE of nothing', (id) => numberFrame(FRAME.WINDOW_UPDATE, id, 0)],
  ['WINDOW_UPDATE of too much', (id) => numberFrame(FRAME.WINDOW_UPDATE, id, 2 ** 31 - 1)],
  ['a PRIORITY of a wrong length', (id) => frame(FRAME.PRIORITY, 0, id, Buffer.alloc(4))],
  ['a stream that depends on itself', (id) => frame(FRAME.PRIORITY, 0, id, Buffer.of(0, 0, id >> 8, id, 0))],
  ['trailers that do not end it', (id) => requestFrame(id)],
  ['content after its end', (id) => Buffer.concat(Array.from({ length: 2 }, () => frame(FRAME.DATA, 1, id)))],
];

describe('a client that makes us reset what it opens', () => {
  it.each(PROVOKING)('over and over is told to calm down: %s', async (_what, provoke) => {
    let opened = 0;
    const { client, session } = await start(() => opened++);
    for (let id = 1; id < 2 * 3000; id += 2) client.send(requestFrame(id), provoke(id));
    await client.closed;
    expect(client.farewells).toEqual([ERROR.ENHANCE_YOUR_CALM]);
    expect(opened).toBeLessThan(1500);
    expect(session.streams.size).toBe(0);
  });

  it('is not, where most of its calls are answered', async () => {
    const { client } = await start((stream) => {
      if (stream.id % 4 === 1) stream.respondOnly({ ':status': 200 });
    });
    for (let id = 1; id < 2 * 3000; id += 2) {
      client.send(requestFrame(id, {}, true));
      if (id % 4 === 3) client.send(numberFrame(FRAME.WINDOW_UPDATE, id, 0));
    }
    await answered(client);
    expect(client.farewells).toEqual([]);
  });
});

it('holds on to the memory of an answer that was reset while the system has some of it still', async () => {
  const content = Buffer.alloc(16 * 1024 * 1024, 7);
  let released = 0;
  const { client, session } = await start(
    (stream) => {
      stream.respond();
      stream.write([content], () => {
        released += 1;
        content.fill(0xff);
      });
    },
    [[SETTING.INITIAL_WINDOW_SIZE, 2 ** 30]],
  );
  client.pause();
  client.send(numberFrame(FRAME.WINDOW_UPDATE, 0, 2 ** 30), requestFrame(1));
  await vi.waitFor(() => expect(session.backlogBytes).toBeGreaterThan(0));
  client.send(numberFrame(FRAME.RST_STREAM, 1, ERROR.CANCEL));
  await vi.waitFor(() => expect(session.streams.size).toBe(0));
  expect(released).toBe(0);
  client.resume();
  await vi.waitFor(() => expect(released).toBe(1));
  await answered(client);
  for (const piece of client.content.get(1) ?? [])
    expect(piece.equals(Buffer.alloc(piece.length, 7))).toBe(true);
});

it('takes a frame of some settings, and none of very many', async () => {
  const { client } = await start(() => {});
  const settings = (count: number) => {
    const payload = Buffer.alloc(6 * count);
    for (let at = 0; at < payload.length; at += 6) payload.writeUInt16BE(SETTING.INITIAL_WINDOW_SIZE, at);
    return frame(FRAME.SETTINGS, 0, 0, payload);
  };
  client.send(settings(32));
  await answered(client);
  client.send(settings(33));
  await client.closed;
  expect(client.farewells).toEqual([ERROR.ENHANCE_YOUR_CALM]);
});

describe('the window of a stream', () => {
  const padded = (id: number, content: number, padding: number, flags = 0) => {
    const payload = Buffer.alloc(1 + content + padding);
    payload[0] = padding;
    return frame(FRAME.DATA, FLAG.PADDED | flags, id, payload);
  };

  it('is given back for padding too', async () => {
    let arrived = 0;
    const { client } = await start((stream) =>
      stream.listen(
        (piece) => {
          arrived += piece.length;
        },
        () => stream.respondOnly({ ':status': 200 }),
      ),
    );
    client.send(requestFrame(1));
    for (let sent = 0; sent < 3 * WINDOW_BYTES; sent += 256) {
      client.send(padded(1, 0, 255));
      if (sent % 25_600 === 0) await answered(client);
    }
    client.send(padded(1, 10, 3, FLAG.END_STREAM));
    await vi.waitFor(() => expect(client.ended.has(1)).toBe(true));
    expect(client.resets.size).toBe(0);
    expect(arrived).toBe(10);
  });

  it('is given back for nothing that nobody has taken', async () => {
    let taken: ServerStream | undefined;
    const { client } = await start((stream) => {
      taken = stream;
    });
    client.send(requestFrame(1));
    for (let sent = 0; sent < 60_000; sent += 600) client.send(padded(1, 500, 99));
    await answered(client);
    expect(taken?.receiveWindow).toBe(WINDOW_BYTES - 60_000);
    let arrived = 0;
    taken?.listen((piece) => {
      arrived += piece.length;
    }, expect.unreachable);
    expect(arrived).toBe(50_000);
    expect(taken?.receiveWindow).toBe(WINDOW_BYTES);
  });
});
