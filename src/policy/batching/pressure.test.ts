import { describe, expect, it } from 'vitest';
import { createPressure } from './pressure.ts';

describe('createPressure', () => {
  it('prices time by the share of requests that are refused, and forgets', () => {
    const pressure = createPressure();
    expect(pressure).toMatchObject({ price: 0, isHigh: false });
    for (let at = 0; at < 200; at++) pressure.decided(at % 2 === 0);
    expect(pressure).toMatchObject({ price: 1, isHigh: true });
    for (let at = 0; at < 400; at++) pressure.decided(false);
    expect(pressure.price).toBeLessThan(0.1);
    expect(pressure.isHigh).toBe(false);
  });

  it('stays as high through a large run, of whose requests some are refused in a row and then none', () => {
    const pressure = createPressure();
    for (let run = 0; run < 20; run++) {
      pressure.ran(200);
      for (let at = 0; at < 300; at++) pressure.decided(at < 100);
    }
    expect(pressure).toMatchObject({ price: 1, isHigh: true });
  });

  it('is not high for the odd refusal', () => {
    const pressure = createPressure();
    for (let at = 0; at < 1000; at++) pressure.decided(at % 100 === 0);
    expect(pressure.isHigh).toBe(false);
  });
});
