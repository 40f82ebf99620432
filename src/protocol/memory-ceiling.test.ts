import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { SILENT } from '../base/telemetry/log.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { ceilingOf, settleCeiling } from './memory-ceiling.ts';
import { createMemoryGauge } from './memory-gauge.ts';
import { createMemoryRoom } from './memory-room.ts';

const MIB = 2 ** 20;

/** Of a process that holds 100 MiB. */
const roomOf = (ceilingBytes: number) =>
  createMemoryRoom({
    ...{ clock: createFakeClock(), log: SILENT, ceilingBytes, collect() {} },
    gauge: createMemoryGauge(() => 100 * MIB),
  });

describe('ceilingOf', () => {
  it('is the size that was asked for, or a share of what there is', () => {
    expect(ceilingOf(1000)).toBe(1000);
    expect(ceilingOf('auto')).toBeLessThanOrEqual(totalmem() * 0.8);
    expect(ceilingOf('auto')).toBeGreaterThan(0);
  });
});

describe('settleCeiling', () => {
  // 100 MiB, and twice 8 for a body, are nine tenths of it.
  const least = Math.ceil((116 * MIB) / 0.9);

  it('refuses one that was asked for and leaves no room', () => {
    expect(() => settleCeiling(roomOf(least - 1), least - 1, SILENT)).toThrow(
      /^server\.maxMemoryBytes: expected at least 129 MiB, since the process holds 100 MiB with its models loaded/,
    );
    expect(() => settleCeiling(roomOf(least), least, SILENT)).not.toThrow();
  });

  it('raises one that nobody asked for, and says so', () => {
    const warnings: unknown[] = [];
    const room = roomOf(50 * MIB);
    settleCeiling(room, 'auto', { ...SILENT, warn: (fields) => void warnings.push(fields) });
    expect(warnings).toEqual([{ usedBytes: 100 * MIB, ceilingBytes: least }]);
    expect(() => room.claim(5 * MIB)).not.toThrow();
  });
});
