import { describe, expect, it } from 'vitest';
import { createFakeClock } from './fake-clock.ts';

describe('createFakeClock', () => {
  it('runs due timers in order of their time, each at its own time', () => {
    const clock = createFakeClock();
    const seen: [string, number][] = [];
    clock.setTimer(() => seen.push(['late', clock.nowNs()]), 20);
    clock.setTimer(() => seen.push(['early', clock.nowNs()]), 10);
    clock.setTimer(() => seen.push(['beyond', clock.nowNs()]), 31);
    clock.advance(30);
    expect(seen).toEqual([
      ['early', 10e6],
      ['late', 20e6],
    ]);
    expect(clock.nowNs()).toBe(30e6);
    expect(clock.pendingTimers).toBe(1);
  });

  it('runs timers that a timer sets, when they fall within', () => {
    const clock = createFakeClock();
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      clock.setTimer(tick, 10);
    };
    tick();
    clock.advance(35);
    expect(ticks).toBe(4);
  });

  it('forgets cancelled timers and draws the same numbers for the same seed', () => {
    const clock = createFakeClock({ seed: 5 });
    clock.setTimer(() => expect.unreachable(), 1).cancel();
    clock.advance(5);
    expect(clock.pendingTimers).toBe(0);
    const again = createFakeClock({ seed: 5 });
    const drawn = [clock.random(), clock.random()];
    expect([again.random(), again.random()]).toEqual(drawn);
    expect(createFakeClock({ seed: 6 }).random()).not.toBe(drawn[0]);
  });
});
