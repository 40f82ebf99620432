import { describe, expect, it } from 'vitest';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { quietTurn } from './quiet-turn.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('quietTurn', () => {
  it('waits for turns that bring nothing, counted anew after each arrival', async () => {
    let arrivals = 0;
    let resolved = false;
    const clock = createFakeClock();
    const quiet = quietTurn({ clock, arrivals: () => arrivals, limitMs: 1000 }).then(() => {
      resolved = true;
    });
    for (let i = 0; i < 5; i += 1) {
      arrivals += 1;
      await turn();
      expect(resolved).toBe(false);
    }
    await quiet;
    expect(resolved).toBe(true);
  });

  it('does not wait for ever', async () => {
    let arrivals = 0;
    const clock = createFakeClock();
    await quietTurn({
      clock,
      arrivals: () => {
        clock.advance(1);
        arrivals += 1;
        return arrivals;
      },
      limitMs: 20,
    });
    expect(arrivals).toBeGreaterThan(5);
  });
});
