import { expect, it } from 'vitest';
import { collectGarbage } from '../../../base/util/collect-garbage.ts';
import { trimHeap } from './trim-heap.ts';

const MIB = 2 ** 20;
const COUNT = 24;

it.runIf(process.platform === 'linux')('gives back what buffers left that lie between others', () => {
  let large: Uint8Array[] = [];
  const between: Uint8Array[] = [];
  // The second time glibc no longer maps them one by one: it has seen such sizes freed.
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < COUNT; i += 1) {
      large.push(Buffer.allocUnsafeSlow(8 * MIB).fill(1));
      between.push(Buffer.allocUnsafeSlow(100_000 + i).fill(1));
    }
    const heldBytes = process.memoryUsage.rss();
    large = [];
    collectGarbage();
    trimHeap();
    expect(heldBytes - process.memoryUsage.rss()).toBeGreaterThan((COUNT - 4) * 8 * MIB);
  }
  expect(between).toHaveLength(2 * COUNT);
});
