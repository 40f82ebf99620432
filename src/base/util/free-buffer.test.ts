import { expect, it } from 'vitest';
import { freeBuffer } from './free-buffer.ts';

const MIB = 2 ** 20;

it('gives memory back at once, and leaves an empty buffer', () => {
  const sizeBytes = 64 * MIB;
  const buffer = Buffer.allocUnsafeSlow(sizeBytes).fill(1).buffer;
  const before = process.memoryUsage.rss();
  freeBuffer(buffer);
  expect(buffer.byteLength).toBe(0);
  expect(before - process.memoryUsage.rss()).toBeGreaterThan(sizeBytes / 2);
  // Once more does no harm.
  expect(() => freeBuffer(buffer)).not.toThrow();
});
