import { describe, expect, it } from 'vitest';
import { createMetricsRegistry } from '../base/telemetry/metrics-registry.ts';
import type { RequestOutcome } from '../base/telemetry/request-instruments.ts';
import { systemClock } from '../base/util/clock.ts';
import { pollBetween } from './busy-poll.ts';
import { createFakeEventLoop, type FakeEventLoopOptions } from './fake-event-loop.ts';

function setUp(options: FakeEventLoopOptions = {}) {
  const loop = createFakeEventLoop(options);
  const metrics = createMetricsRegistry();
  const outcomes: RequestOutcome[] = [];
  let begun = 0;
  const inner = {
    begin() {
      begun += 1;
    },
    end: (outcome: RequestOutcome) => void outcomes.push(outcome),
  };
  const instruments = pollBetween(inner, { clock: loop.clock, metrics, soon: loop.soon });
  /** A client that asks again `afterNs` after each answer. */
  const serveLoop = (requests: number, afterNs: number) => {
    for (let i = 0; i < requests; i += 1) loop.serveAt(instruments, loop.clock.nowNs() + afterNs);
  };
  const read = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics.render())?.[1]);
  return {
    ...{ loop, instruments, outcomes, serveLoop },
    begun: () => begun,
    hitSeconds: () => read('nimify_busy_poll_seconds_total\\{result="request"\\}'),
    vainSeconds: () => read('nimify_busy_poll_seconds_total\\{result="none"\\}'),
    timeRatio: () => read('nimify_busy_poll_time_ratio'),
  };
}

describe('pollBetween', () => {
  it('counts requests as what it stands before', () => {
    const { serveLoop, begun, outcomes } = setUp();
    serveLoop(10, 30_000);
    expect(begun()).toBe(10);
    expect(outcomes.length).toBe(10);
    expect(outcomes[0]).toMatchObject({ model: 'm', code: 'OK', totalNs: 20_000 });
  });

  it('saves a client in a closed loop the time to wake up', () => {
    const { loop, serveLoop, hitSeconds, vainSeconds, timeRatio } = setUp();
    serveLoop(1000, 30_000);
    const fromNs = loop.clock.nowNs();
    serveLoop(1000, 30_000);
    // 50 µs of work and way; up to a turn more until it is noticed.
    expect(loop.clock.nowNs() - fromNs).toBeLessThan(1000 * 53_000);
    expect(timeRatio()).toBeCloseTo(0.5, 1);
    expect(hitSeconds()).toBeGreaterThan(1000 * 30e-6);
    expect(vainSeconds()).toBe(0);
  });

  it('never polls for clients that come at most a thousand times a second', () => {
    const { loop, serveLoop } = setUp();
    serveLoop(5000, 1e6);
    expect(loop.turns).toBe(0);
  });

  it('polls once in vain where a client has gone, and sleeps then', () => {
    const { loop, serveLoop, vainSeconds } = setUp();
    serveLoop(1000, 30_000);
    loop.runOut();
    expect(vainSeconds()).toBeGreaterThanOrEqual(200e-6);
    expect(vainSeconds()).toBeLessThan(204e-6);
  });

  it('does not poll while a request is open', () => {
    const { loop, instruments, serveLoop } = setUp();
    serveLoop(1000, 30_000);
    instruments.begin();
    loop.runOut();
    const { turns } = loop;
    serveLoop(1000, 30_000);
    expect(loop.turns).toBe(turns);
  });

  it('stops with the turn in which a request comes that is not answered at once', () => {
    const { loop, instruments, serveLoop, vainSeconds } = setUp();
    serveLoop(1000, 30_000);
    const { turns } = loop;
    instruments.begin();
    loop.runOut();
    expect(loop.turns).toBe(turns + 1);
    expect(vainSeconds()).toBe(0);
  });

  it('stays off where the client needs the core', () => {
    const { loop, instruments, vainSeconds, timeRatio } = setUp();
    while (loop.clock.nowNs() < 10e9) loop.serveAsleep(instruments, 30_000);
    expect(timeRatio()).toBeGreaterThan(1);
    // Of 10 s: what may be polled in vain at once, and its share of the time.
    expect(vainSeconds()).toBeLessThan(0.091);
  });

  it('stays away from a core that is taken from it for as long as it polls', () => {
    let busyNs = 0;
    // A quota of 50 ms in 100, as cgroups have it.
    const { loop, serveLoop, vainSeconds } = setUp({
      stolenNs() {
        busyNs += 2000;
        if (busyNs < 50e6) return 0;
        busyNs = 0;
        return 50e6;
      },
    });
    while (loop.clock.nowNs() < 20e9) serveLoop(1, 30_000);
    expect(loop.turns * 2000).toBeLessThan(0.1 * 20e9);
    expect(vainSeconds()).toBeLessThan(0.5);
  });

  it('leaves a process nothing to wait for', async () => {
    const metrics = createMetricsRegistry();
    const inner = { begin() {}, end() {} };
    let nowNs = 0;
    const clock = { ...systemClock, nowNs: () => (nowNs += 20_000) };
    const instruments = pollBetween(inner, { clock, metrics });
    const isPending = () => process.getActiveResourcesInfo().includes('Immediate');
    let polled = 0;
    // Polled or not, requests come as fast: it is tried for four blocks.
    for (let i = 0; i < 288; i += 1) {
      instruments.begin();
      instruments.end({ ...OUTCOME, totalNs: 0 });
      if (isPending()) polled += 1;
    }
    expect(polled).toBeGreaterThan(0);
    while (isPending()) await new Promise<void>((resolve) => setTimeout(resolve, 1));
  });
});

const OUTCOME = {
  ...{ model: 'm', version: '1', route: '/', code: 'OK' as const },
  ...{ decodeNs: 0, queueNs: 0, computeNs: 0, encodeNs: 0 },
};
