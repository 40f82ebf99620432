import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FRAME } from './constants.ts';
import { Outbox } from './outbox.ts';

/** A socket whose system takes what the test lets it take; it looks at the bytes only then, as a system does. */
function openSocket(takesAtOnce: boolean) {
  const held: { readonly chunks: readonly Buffer[]; readonly done: (error?: Error) => void }[] = [];
  const taken: Buffer[] = [];
  let isOpen = takesAtOnce;
  const take = (chunks: readonly Buffer[]) => void taken.push(...chunks.map((chunk) => Buffer.from(chunk)));
  function write(chunks: readonly Buffer[], done: (error?: Error) => void): void {
    if (isOpen) {
      take(chunks);
      done();
    } else held.push({ chunks, done });
  }
  const socket = new Writable({
    write: (chunk: Buffer, _encoding, done) => write([chunk], done),
    writev: (chunks, done) =>
      write(
        chunks.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  });
  socket.on('error', () => {});
  const memory = new Set<ArrayBufferLike>();
  const writeOn = socket.write.bind(socket) as (chunk: Buffer, done?: () => void) => boolean;
  socket.write = ((chunk: Buffer, done?: () => void) => {
    if (chunk.length > 0) memory.add(chunk.buffer);
    return writeOn(chunk, done);
  }) as typeof socket.write;
  return {
    socket: socket as unknown as Socket,
    outbox: new Outbox(socket as unknown as Socket),
    /** What was taken so far. */
    taken: () => Buffer.concat(taken),
    /** The memory of all that was ever written. */
    memory,
    async takeAll() {
      isOpen = true;
      for (let one = held.shift(); one !== undefined; one = held.shift()) {
        take(one.chunks);
        one.done();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    fail() {
      for (const { done } of held.splice(0)) done(new Error('gone'));
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const ping = (outbox: Outbox, value: number) => outbox.frame(FRAME.PING, 0, 0, Buffer.alloc(8, value));

describe('an outbox', () => {
  it('uses the same memory again, where the system takes all at once', () => {
    const { outbox } = openSocket(true);
    const slabs = new Set<Buffer>();
    for (let count = 0; count < 50; count += 1) {
      slabs.add(outbox.room(9));
      for (let value = 0; value < 100; value += 1) ping(outbox, value);
      outbox.flush();
    }
    expect(slabs.size).toBe(1);
  });

  it('holds little more than what waits, for a client that takes nothing', async () => {
    const { outbox, memory, taken, takeAll } = openSocket(false);
    const expected: Buffer[] = [];
    for (let count = 0; count < 4000; count += 1) {
      ping(outbox, count);
      expected.push(Buffer.alloc(8, count));
      outbox.flush();
      if (count % 500 === 0) await settle();
    }
    expect(outbox.backlogBytes).toBe(17 * 4000);
    // Slabs of 32 KiB.
    expect(memory.size).toBe(3);
    await takeAll();
    const frames = taken();
    expect(frames.length).toBe(17 * 4000);
    for (const [index, payload] of expected.entries()) {
      expect(frames.compare(payload, 0, 8, 17 * index + 9, 17 * index + 17)).toBe(0);
    }
    expect(outbox.takenBytes).toBe(17 * 4000);
  });

  it.each([true, false])(
    'never gives memory to others that the system still reads (at once: %s)',
    async (atOnce) => {
      const slow = openSocket(atOnce);
      ping(slow.outbox, 1);
      slow.outbox.flush();
      ping(slow.outbox, 2);
      // Others take what is spare, and write over it.
      const others = Array.from({ length: 20 }, () => openSocket(true));
      for (const { outbox } of others) for (let count = 0; count < 1000; count += 1) ping(outbox, 0xee);
      for (const { outbox } of others) outbox.flush();
      slow.outbox.flush();
      await slow.takeAll();
      expect(slow.taken().subarray(9, 17)).toEqual(Buffer.alloc(8, 1));
      expect(slow.taken().subarray(26)).toEqual(Buffer.alloc(8, 2));
    },
  );

  it('tells once when the system has taken what there was, and no sooner', async () => {
    const { outbox, takeAll } = openSocket(false);
    const told: string[] = [];
    outbox.view(Buffer.alloc(10));
    outbox.whenTaken(() => told.push('first'));
    outbox.flush();
    outbox.whenTaken(() => told.push('nothing more'));
    ping(outbox, 1);
    outbox.whenTaken(() => told.push('second'));
    outbox.flush();
    await settle();
    expect(told).toEqual([]);
    await takeAll();
    expect(told).toEqual(['first', 'nothing more', 'second']);
    outbox.settleAll();
    expect(told).toHaveLength(3);
  });

  it.each(['fails', 'closes'])('tells where the socket %s instead, once', async (how) => {
    const { outbox, socket, fail } = openSocket(false);
    let told = 0;
    for (let count = 0; count < 3; count += 1) {
      outbox.view(Buffer.alloc(100));
      outbox.whenTaken(() => told++);
      outbox.flush();
    }
    outbox.view(Buffer.alloc(100));
    outbox.whenTaken(() => told++);
    if (how === 'fails') fail();
    else socket.destroy();
    await settle();
    outbox.flush();
    outbox.settleAll();
    expect(told).toBe(4);
    await settle();
    expect(told).toBe(4);
  });
});
