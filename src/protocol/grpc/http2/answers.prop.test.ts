/** Answers of many streams at once, under whatever a client does meanwhile: bytes, memory and windows. */
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { DEFAULT_WINDOW_BYTES, ERROR, FRAME, SETTING } from './constants.ts';
import {
  connectFrames,
  type FrameClient,
  frame,
  numberFrame,
  requestFrame,
  settingsFrame,
} from './frame-client.ts';
import { serveSessions } from './session-alone.ts';
import type { ServerStream } from './stream.ts';

const POISON = 0xff;
const ENOUGH = 2 ** 30;

let close: (() => void) | undefined;

afterEach(() => {
  close?.();
  close = undefined;
});

/** Each stream's content is its own; none of it looks like memory that was given back. */
function fill(chunk: Buffer, streamId: number, from: number): Buffer {
  for (let index = 0; index < chunk.length; index += 1) chunk[index] = (streamId * 31 + from + index) % 251;
  return chunk;
}

/** A server that answers with as many bytes as it is asked for, in memory that is poisoned once it is released. */
async function start() {
  /** How often the memory of each answer was released. */
  const releases = new Map<number, number>();

  function answer(stream: ServerStream): void {
    const sizes = String(stream.headers['x-sizes']).split(' ').map(Number);
    let from = 0;
    const chunks = sizes.map((size) => {
      const chunk = fill(Buffer.allocUnsafeSlow(size), stream.id, from);
      from += size;
      return chunk;
    });
    releases.set(stream.id, 0);
    stream.respond();
    stream.write(chunks, () => {
      releases.set(stream.id, releases.get(stream.id)! + 1);
      for (const chunk of chunks) chunk.fill(POISON);
    });
    stream.end();
  }

  // Half of them within the read, half of them later.
  const served = await serveSessions(
    (stream) => void (stream.id % 4 === 1 ? answer(stream) : setImmediate(answer, stream)),
    { maxConcurrentStreams: 1000 },
  );
  const client = await connectFrames(served.port);
  close = () => {
    client.socket.destroy();
    served.close();
  };
  await vi.waitFor(() => expect(served.session()).toBeDefined());
  return { client, session: served.session()!, releases };
}

/** What a client does next. Streams are counted from the first; those that are not there yet are left alone. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      ask: fc.array(fc.oneof(fc.nat(300), fc.nat(9000), fc.nat(400_000)), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      widen: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 500_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ widenStream: fc.nat(20), by: fc.integer({ min: 1, max: 500_000 }) }) },
  { weight: 2, arbitrary: fc.record({ reset: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ initialWindow: fc.oneof(fc.constant(0), fc.nat(200_000)) }) },
  { weight: 2, arbitrary: fc.record({ isReading: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 5 }) }) },
);

const received = ({ content }: FrameClient, id: number) => Buffer.concat(content.get(id) ?? []);
const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('arrive whole, from memory that is released once and not too early, within the windows', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), fc.boolean(), async (steps, leaves) => {
      const { client, session, releases } = await start();
      const asked = new Map<number, number>();
      const resets = new Set<number>();
      let granted = DEFAULT_WINDOW_BYTES;
      const widen = (bytes: number) => {
        granted += bytes;
        client.send(numberFrame(FRAME.WINDOW_UPDATE, 0, bytes));
      };
      const receivedInAll = () => sum([...client.content.values()].flat().map(({ length }) => length));
      const ask = (sizes: readonly number[]) => {
        const id = 2 * asked.size + 1;
        asked.set(id, sum(sizes));
        client.send(requestFrame(id, { 'x-sizes': sizes.join(' ') }, true));
        return id;
      };
      for (const does of steps) {
        if ('ask' in does) ask(does.ask);
        else if ('widen' in does) widen(does.widen);
        else if ('turns' in does) for (let count = 0; count < does.turns; count += 1) await turn();
        else if ('isReading' in does) does.isReading ? client.resume() : client.pause();
        else if ('initialWindow' in does) {
          client.send(settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, does.initialWindow]]));
        } else {
          const id = 2 * ('reset' in does ? does.reset : does.widenStream) + 1;
          if (!asked.has(id)) continue;
          if ('reset' in does) {
            resets.add(id);
            client.send(numberFrame(FRAME.RST_STREAM, id, ERROR.CANCEL));
          } else client.send(numberFrame(FRAME.WINDOW_UPDATE, id, does.by));
        }
        expect(receivedInAll()).toBeLessThanOrEqual(granted);
      }
      if (leaves) {
        client.socket.destroy();
        await vi.waitFor(() => expect(session.socket.closed).toBe(true));
        await turn();
      } else {
        client.resume();
        client.send(settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, ENOUGH]]));
        widen(ENOUGH);
        const isDone = (id: number) => client.ended.has(id) || resets.has(id);
        await vi.waitFor(() => expect([...asked.keys()].every(isDone)).toBe(true), 10_000);
        const { pongs } = client;
        client.send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
        await vi.waitFor(() => expect(client.pongs).toBe(pongs + 1));
      }
      await vi.waitFor(() => expect([...releases.values()].filter((count) => count !== 1)).toEqual([]));
      if (!leaves) expect(releases.size).toBe(asked.size);
      expect(session.streams.size).toBe(0);
      for (const [id, byteLength] of asked) {
        const content = received(client, id);
        if (client.ended.has(id)) expect(content).toHaveLength(byteLength);
        expect(content.equals(fill(Buffer.alloc(content.length), id, 0))).toBe(true);
      }
      if (!leaves) await expectExactWindow(client, ask, widen, granted - receivedInAll());
      close?.();
    }),
    { numRuns: 25 },
  );
}, 120_000);

/** The connection's window is what the client thinks it is, to the byte: it may be widened to the largest, and no more. */
async function expectExactWindow(
  client: FrameClient,
  ask: (sizes: readonly number[]) => number,
  widen: (bytes: number) => void,
  left: number,
): Promise<void> {
  const rest = 100_000;
  client.send(settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 0]]));
  widen(2 ** 31 - 1 - left);
  const id = ask([rest]);
  client.send(numberFrame(FRAME.WINDOW_UPDATE, id, rest));
  await vi.waitFor(() => expect(client.ended.has(id)).toBe(true));
  widen(rest);
  const { pongs } = client;
  client.send(frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
  await vi.waitFor(() => expect(client.pongs).toBe(pongs + 1));
  expect(client.farewells).toEqual([]);
  widen(1);
  await client.closed;
  expect(client.farewells).toEqual([ERROR.FLOW_CONTROL_ERROR]);
}
