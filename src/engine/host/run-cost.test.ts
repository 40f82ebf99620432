import { describe, expect, it } from 'vitest';
import { toBytesData } from '../../base/tensor/bytes.ts';
import { createRunCost, sizeOf } from './run-cost.ts';

describe('createRunCost', () => {
  it('predicts what an example took for its size, and in proportion above', () => {
    const cost = createRunCost({ sizeBytes: 16, computeNs: 10 });
    expect(cost.predictNs(16)).toBe(10);
    expect(cost.predictNs(1)).toBe(10);
    expect(cost.predictNs(16 * 1024)).toBe(10 * 1024);
    expect(cost.predictNs(0)).toBe(10);
  });

  it('learns what each size really takes, and forgets slowly', () => {
    const cost = createRunCost({ sizeBytes: 16, computeNs: 10 });
    cost.observe(16 * 1024, 50);
    expect(cost.predictNs(16 * 1024)).toBe(50);
    expect(cost.predictNs(64 * 1024)).toBe(200);
    expect(cost.predictNs(16)).toBe(10);
    for (let run = 0; run < 50; run++) cost.observe(16 * 1024, 100);
    expect(cost.predictNs(16 * 1024)).toBeGreaterThan(95);
  });

  it('knows nothing without an example, and takes the first run as it was', () => {
    const cost = createRunCost();
    expect(cost.predictNs(16)).toBe(Number.POSITIVE_INFINITY);
    cost.observe(16, 700);
    expect([cost.predictNs(1), cost.predictNs(16), cost.predictNs(32)]).toEqual([700, 700, 1400]);
  });

  it('tells sizes beyond 2 GiB apart', () => {
    const cost = createRunCost({ sizeBytes: 2 ** 20, computeNs: 1 });
    expect([30, 31, 32, 40].map((power) => cost.predictNs(2 ** power))).toEqual([
      2 ** 10,
      2 ** 11,
      2 ** 12,
      2 ** 20,
    ]);
  });

  it('does not take one interrupted run for the truth, and believes a cost that stays', () => {
    const cost = createRunCost({ sizeBytes: 16, computeNs: 10_000 });
    cost.observe(16, 16_000_000);
    expect(cost.predictNs(16)).toBeLessThan(20_000);
    cost.observe(32, 16_000_000);
    expect(cost.predictNs(32)).toBeLessThan(200_000);
    for (let run = 0; run < 50; run++) cost.observe(16, 16_000_000);
    expect(cost.predictNs(16)).toBeGreaterThan(15_000_000);
  });
});

describe('sizeOf', () => {
  it('counts numbers and texts', () => {
    const tensors = [
      { name: 'a', datatype: 'FP32' as const, shape: [3], data: new Float32Array(3) },
      { name: 'b', datatype: 'BYTES' as const, shape: [2], data: toBytesData(['four', 'é']) },
    ];
    expect(sizeOf(tensors)).toBe(12 + 6 + 12);
  });
});
