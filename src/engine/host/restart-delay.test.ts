import { describe, expect, it } from 'vitest';
import { restartDelayMs } from './restart-delay.ts';

describe('restartDelayMs', () => {
  it('is nothing at first, then doubles up to half a minute, half of it by chance', () => {
    const range = (deaths: number) => [restartDelayMs(deaths, () => 0), restartDelayMs(deaths, () => 1)];
    expect([1, 2, 3, 4, 10, 11, 50].map(range)).toEqual([
      ...[
        [0, 0],
        [50, 100],
        [100, 200],
        [200, 400],
        [12_800, 25_600],
      ],
      ...[
        [15_000, 30_000],
        [15_000, 30_000],
      ],
    ]);
  });
});
