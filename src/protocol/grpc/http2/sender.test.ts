import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FRAME, FRAME_HEAD_BYTES } from './constants.ts';
import { Outbox } from './outbox.ts';
import { Sender } from './sender.ts';
import { ServerStream, type StreamHost } from './stream.ts';

/** A sender, and the frames that it has put out, in order: the stream of each and how long its content is. */
function open() {
  let written: Buffer = Buffer.alloc(0);
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written = Buffer.concat([written, chunk]);
      done();
    },
  });
  const outbox = new Outbox(socket as unknown as Socket);
  const ended: number[] = [];
  const sender = new Sender(
    outbox,
    () => {},
    (stream) => void ended.push(stream.id),
  );
  const host = {
    sendContent: (stream, chunks, onSent) => sender.sendContent(stream, chunks, onSent),
    endWhenSent: (stream) => sender.endWhenSent(stream),
  } as StreamHost;

  return {
    sender,
    ended,
    stream: (id: number, window = 1e9) => new ServerStream(id, host, {}, window, 0),
    /** What was sent since the last time. */
    sent() {
      outbox.flush();
      const frames: (readonly [streamId: number, bytes: number])[] = [];
      for (let at = 0; at < written.length; ) {
        const length = written.readUIntBE(at, 3);
        if (written[at + 3] === FRAME.DATA) frames.push([written.readUInt32BE(at + 5), length]);
        at += FRAME_HEAD_BYTES + length;
      }
      written = Buffer.alloc(0);
      return frames;
    },
  };
}

const totals = (frames: readonly (readonly [number, number])[]) => {
  const bytes = new Map<number, number>();
  for (const [id, length] of frames) bytes.set(id, (bytes.get(id) ?? 0) + length);
  return Object.fromEntries(bytes);
};

describe('a sender', () => {
  it('lets streams that wait for the connection take turns, a large one as a small one', () => {
    const { sender, stream, sent } = open();
    const [large, other, small] = [stream(1), stream(3), stream(5)];
    large.write([Buffer.alloc(1_000_000)]);
    other.write([Buffer.alloc(1_000_000)]);
    small.write([Buffer.alloc(100)]);
    expect(totals(sent())).toEqual({ 1: 65_535 });
    sender.widenConnection(2 * 65_536 + 100);
    expect(totals(sent())).toEqual({ 1: 65_536, 3: 65_536, 5: 100 });
  });

  it('leaves out of the line who has no window of its own, and those that are closed', () => {
    const { sender, stream, sent } = open();
    const [first, poor, closed, last] = [stream(1), stream(3, 10), stream(5), stream(7)];
    for (const one of [first, poor, closed, last]) one.write([Buffer.alloc(70_000)]);
    expect(totals(sent())).toEqual({ 1: 65_535 });
    sender.leaveLine(closed);
    sender.leaveLine(closed);
    sender.widenConnection(1_000_000);
    expect(totals(sent())).toEqual({ 1: 4465, 3: 10, 7: 70_000 });
    sender.widenStream(poor, 1_000_000);
    expect(totals(sent())).toEqual({ 3: 69_990 });
  });

  it('sends nothing on a window that was made smaller than what is on its way', () => {
    const { sender, stream, sent, ended } = open();
    const one = stream(1, 65_535);
    one.write([Buffer.alloc(40_000)]);
    expect(totals(sent())).toEqual({ 1: 40_000 });
    expect(sender.setInitialWindow(0, [one])).toBe(true);
    expect(one.sendWindow).toBe(-40_000);
    one.write([Buffer.alloc(10)]);
    one.end();
    sender.widenStream(one, 40_000);
    expect(sent()).toEqual([]);
    sender.widenStream(one, 9);
    expect(sent()).toEqual([[1, 9]]);
    expect(ended).toEqual([]);
    sender.widenStream(one, 1);
    expect(sent()).toEqual([[1, 1]]);
    expect(ended).toEqual([1]);
  });

  it('sends frames as large as the client takes, and no larger', () => {
    const { sender, stream, sent } = open();
    stream(1).write([Buffer.alloc(40_000)]);
    expect(sent().map(([, bytes]) => bytes)).toEqual([16_384, 16_384, 7232]);
    sender.setMaxFrameBytes(30_000);
    sender.widenConnection(100_000);
    stream(3).write([Buffer.alloc(40_000)]);
    expect(sent().map(([, bytes]) => bytes)).toEqual([30_000, 10_000]);
  });

  it('takes no window beyond the largest', () => {
    const { sender, stream } = open();
    const one = stream(1, 2 ** 31 - 1);
    expect(sender.widenStream(one, 1)).toBe(false);
    expect(sender.widenConnection(2 ** 31 - 1 - 65_535)).toBe(true);
    expect(sender.widenConnection(1)).toBe(false);
    const other = stream(3, 65_536);
    expect(sender.setInitialWindow(2 ** 31 - 1, [other])).toBe(false);
  });
});
