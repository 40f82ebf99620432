import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from './client.mjs';
import { measurePeak, startLoad } from './load.mjs';
import { SINES } from './models.mjs';
import { rowOf } from './row.mjs';
import { startServed } from './served.mjs';

const TIMES_PEAK = 3;
/** Some fifty rows' runs. */
const DEADLINE_MS = 250;
const IN_FLIGHT = 16;
/** Until it has noticed the load. */
const RAMP_SECONDS = 1;
const SECONDS = {
  full: { peak: 5, overload: 12 },
  short: { peak: 2, overload: 4 },
};

/**
 * Three times as many requests as the model can answer, for which it takes milliseconds each: the peak before and after
 * (requests in flight, one after the other), and between them what is answered in time while too many come.
 */
export async function measureOverload({ policies, form, seed, folder, cache }) {
  const { peak: peakSeconds, overload } = SECONDS[form];
  const engine = { instances: 2, host: 'process', intraOpThreads: 1 };
  // Without policies everybody is let in, as by servers that have no bounds of their own.
  const batching = policies === 'off' ? { batching: { maxWaiting: 100_000 } } : {};
  const server = await startServed({ policies, folder, cache, models: [{ ...SINES, engine, ...batching }] });
  const surplus = [];
  const client = createClient({ port: server.port, onSurplus: (says) => surplus.push(says) });
  try {
    const atPeak = (salt) =>
      measurePeak({
        ...{ client, model: SINES.name, inFlight: IN_FLIGHT, seconds: peakSeconds },
        ...{ seed: seed + salt, deadlineMs: 60_000 },
      });
    await atPeak(0);
    const before = await atPeak(1);
    await sleep(500);
    const ratePerSecond = TIMES_PEAK * before.perSecond;
    const begins = { ms: performance.now(), wallMs: Date.now() };
    const load = startLoad({
      clients: [{ client, group: 'direct', share: 1 }],
      mix: [[SINES.name, 1]],
      ...{ ratePerSecond, seconds: RAMP_SECONDS + overload, seed },
      // Where nobody looks at deadlines, none is told.
      deadlineMs: DEADLINE_MS,
      tellsDeadline: policies !== 'off',
    });
    await load.done;
    const after = await atPeak(2);
    const peakPerSecond = (before.perSecond + after.perSecond) / 2;
    const fromMs = load.startMs + RAMP_SECONDS * 1000;
    const counted = load.records.filter(({ dueMs }) => dueMs >= fromMs);
    const goodPerSecond = counted.filter(({ is }) => is === 'correct').length / overload;
    return {
      ...rowOf({
        fault: { name: OVERLOAD.name },
        ...{ policies, begins, endsMs: performance.now(), startMs: load.startMs, records: load.records },
        ...{ surplus: surplus.length, events: [], counters: { retries: 0, hedges: 0 }, extras: {} },
        isAlive: server.isRunning(),
      }),
      ...{ peakPerSecond, peaks: [before.perSecond, after.perSecond], offeredPerSecond: ratePerSecond },
      ...{ goodPerSecond, goodputShare: goodPerSecond / peakPerSecond, recoverMs: undefined },
    };
  } finally {
    client.close();
    await server.stop();
  }
}

export const OVERLOAD = {
  name: 'overload',
  what: `${TIMES_PEAK} times as many requests as can be answered, each to be answered within ${DEADLINE_MS} ms`,
  bars: ['overload'],
};
