import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../base/util/clock.ts';
import { fromPs, peakResidentBytes, watchMemory } from './process-memory.ts';

describe.skipIf(process.platform === 'win32')('resident size', () => {
  it('is told for this process, and for none that is gone', async () => {
    const bytes = await peakResidentBytes(process.pid);
    expect(bytes).toBeGreaterThan(20 * 2 ** 20);
    expect(bytes).toBeLessThan(20 * 2 ** 30);
    expect(await peakResidentBytes(2 ** 22 + 1)).toBeUndefined();
  });

  it('is told by ps as well, where there is no /proc', async () => {
    const kibibytes = await fromPs(process.pid);
    if (kibibytes !== undefined) expect(kibibytes).toBeGreaterThan(20 * 1024);
    expect(await fromPs(2 ** 22 + 1)).toBeUndefined();
  });

  it('is watched until it is above the limit', async () => {
    const onExceeded = vi.fn();
    watchMemory({ pid: process.pid, limitBytes: 1000, clock: systemClock, onExceeded });
    await vi.waitFor(() => expect(onExceeded).toHaveBeenCalledOnce(), { timeout: 5000 });
    expect(onExceeded.mock.calls[0]![0]).toBeGreaterThan(1000);
  });
});
