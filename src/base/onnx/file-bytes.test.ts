import type { FileHandle } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createFileBytes } from './file-bytes.ts';

/** A file that gives at most `step` bytes a read, as systems may. */
function handleOf(bytes: Uint8Array, step: number): FileHandle {
  return {
    async read(target: Uint8Array, offset: number, length: number, position: number) {
      expect(offset + length).toBeLessThanOrEqual(target.length);
      const part = bytes.subarray(position, position + Math.min(step, length));
      target.set(part, offset);
      return { bytesRead: part.length, buffer: target };
    },
  } as unknown as FileHandle;
}

const TEN = Uint8Array.from({ length: 10 }, (_, i) => i);

describe('createFileBytes', () => {
  it.each([1, 3, 10])('fills the target, %d bytes at a time', async (step) => {
    const file = createFileBytes(handleOf(TEN, step), 10);
    expect(file.sizeBytes).toBe(10);
    const target = new Uint8Array(7);
    await file.read(target, 2);
    expect([...target]).toEqual([2, 3, 4, 5, 6, 7, 8]);
    await expect(file.read(new Uint8Array(0), 10)).resolves.toBeUndefined();
  });

  it('says that a file became shorter, and where it ends now', async () => {
    const file = createFileBytes(handleOf(TEN, 3), 20);
    await expect(file.read(new Uint8Array(8), 5)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the model file became shorter while it was being read; copy it again',
      details: { where: 'byte 10', expected: 20, got: 10 },
    });
  });
});
