import { describe, expect, it } from 'vitest';
import { AVAILABILITY, OBJECTIVE_SHARE, toSloObjectives } from './service-level.ts';

describe('service level objectives', () => {
  it('are shares that leave something to fail', () => {
    expect(AVAILABILITY.fromText('0.999')).toBe(0.999);
    expect(AVAILABILITY.fromText('.95')).toBe(0.95);
    expect(AVAILABILITY.fromText('OFF')).toBe('off');
    expect(AVAILABILITY.fromValue('off')).toBe('off');
    for (const wrong of [0, 1, 99.9, '0.9', Number.NaN, null, 'on']) {
      expect(AVAILABILITY.fromValue(wrong)).toBeUndefined();
    }
    for (const wrong of ['1', '0', '99.9', '1e-3', ''])
      expect(OBJECTIVE_SHARE.fromText(wrong)).toBeUndefined();
  });

  it('follow the objective of latency where nothing else is said of it', () => {
    expect(toSloObjectives()).toEqual({ availability: 0.999 });
    expect(toSloObjectives({}, { percentile: 95, latencyMs: 50 })).toEqual({
      availability: 0.999,
      latency: { thresholdMs: 50, target: 0.95 },
    });
    expect(toSloObjectives({ availability: 'off', latency: { thresholdMs: 80 } })).toEqual({
      latency: { thresholdMs: 80, target: 0.99 },
    });
    expect(
      toSloObjectives({ latency: { thresholdMs: 80, target: 0.9 } }, { percentile: 95, latencyMs: 50 }),
    ).toEqual({ availability: 0.999, latency: { thresholdMs: 80, target: 0.9 } });
    // Without a time there is nothing that a target could be about.
    expect(toSloObjectives({ latency: { target: 0.9 } })).toEqual({ availability: 0.999 });
  });
});
