import { describe, expect, it } from 'vitest';
import { SILENT } from '../../../base/telemetry/log.ts';
import { createBufferPool } from '../../../base/util/buffer-pool.ts';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import { createMemoryRoom } from '../../memory-room.ts';
import { createIncomingBody } from './incoming-body.ts';

const clock = createFakeClock();
const memoryRoom = createMemoryRoom({ clock, log: SILENT, ceilingBytes: undefined });
const memory = (pool = createBufferPool({ clock })) => ({ pool, memoryRoom, onRevoke() {} });

describe('createIncomingBody', () => {
  it('gathers pieces, and leaves what belongs to somebody else', () => {
    const body = createIncomingBody(5, 0, memory());
    expect(body.push(Buffer.from('he'))).toBe(2);
    expect(body.isWhole).toBe(false);
    expect(body.push(Buffer.from('lloPOST'))).toBe(3);
    expect(body.isWhole).toBe(true);
    const { bytes, owner } = body.take();
    expect([Buffer.from(bytes).toString(), owner.holders]).toEqual(['hello', 1]);
    owner.release();
  });

  it.each([0, 1, 7, 8, 13])(
    'lies so that offset %d is on a multiple of 8, in a buffer of its own',
    (alignAt) => {
      const body = createIncomingBody(100, alignAt, memory());
      body.push(new Uint8Array(100));
      const { bytes } = body.take();
      expect((bytes.byteOffset + alignAt) % 8).toBe(0);
      expect(bytes.buffer.byteLength).toBeLessThan(200);
      expect(bytes).not.toBeInstanceOf(Buffer);
    },
  );

  it('makes room only when the first byte comes, and says where there is none', () => {
    const body = createIncomingBody(2 ** 52, 0, memory());
    expect(body.isWhole).toBe(false);
    expect(() => body.push(new Uint8Array(1))).toThrow(RangeError);
  });

  it('can be filled in place once it has begun', () => {
    const body = createIncomingBody(6, 3, memory());
    expect(body.room()).toBeUndefined();
    body.push(Buffer.from('ab'));
    body.room()?.set(Buffer.from('cd'));
    body.advance(2);
    expect(body.room()?.length).toBe(2);
    body.push(Buffer.from('ef'));
    expect([body.isWhole, body.room()]).toEqual([true, undefined]);
    expect(Buffer.from(body.take().bytes).toString()).toBe('abcdef');
  });

  it('gives its memory back when its owner is released for the last time, or when it is dropped', () => {
    const shared = createBufferPool({ clock });
    const size = 100_000;
    const body = createIncomingBody(size, 0, memory(shared));
    body.push(new Uint8Array(size));
    const { owner } = body.take();
    body.drop();
    owner.retain();
    owner.release();
    expect(shared.keptBytes).toBe(0);
    owner.release();
    expect(shared.keptBytes).toBeGreaterThanOrEqual(size);

    const dropped = createIncomingBody(size, 0, memory(shared));
    dropped.push(new Uint8Array(1));
    expect(shared.keptBytes).toBe(0);
    dropped.drop();
    expect(shared.keptBytes).toBeGreaterThanOrEqual(size);
  });
});
