import { createSeededRandom } from '../../dist/base/util/seeded-random.js';
import { createVirtualTime } from './virtual-time.mjs';

/**
 * One request of one row, and what became of it.
 *
 * @typedef {object} Request
 * @property {number} index
 * @property {number} arrivedNs
 * @property {number} deadlineNs
 * @property {'waiting' | 'answered' | 'refused'} state
 * @property {number} finishedNs
 *
 * What a scheduler works with. It calls `start` only while `freeSlots` is above 0, and `answer` or `refuse` once for
 * each request; anything else is thrown at it.
 *
 * @typedef {object} Bench
 * @property {import('../../dist/base/util/clock.js').Clock} clock
 * @property {number} slots
 * @property {number} freeSlots
 * @property {number} objectiveNs
 * @property {import('./profiles.mjs').Profile} profile
 * @property {(callback: () => void, atNs: number) => { cancel: () => void }} setAlarm
 * @property {(rows: number, done: (ns: number) => void) => void} start takes a slot for as long as such a run takes
 * @property {(requests: Request[], done?: (ns: number) => void) => void} run starts a run, and answers when it ends
 * @property {(request: Request) => void} answer
 * @property {(request: Request) => void} refuse
 *
 * A scheduler that works with promises says so, and is given a turn of the event loop after every event.
 *
 * @typedef {{ arrive: (request: Request) => void, hasPromises?: boolean }} Scheduler
 */

/**
 * One model with `slots` slots in virtual time, until everything that came is answered or refused.
 *
 * @param {object} scenario
 * @param {import('./profiles.mjs').Profile} scenario.profile
 * @param {number} scenario.slots
 * @param {Float64Array} scenario.timesNs when requests come
 * @param {number} scenario.objectiveNs from arrival to deadline
 * @param {number} scenario.seed of the time each run takes: the n-th run of each scheduler is equally lucky
 * @param {(bench: Bench) => Scheduler} createScheduler
 * @returns {Promise<{ requests: Request[], batchRows: number[] }>} the requests, and the rows of every run
 * @throws where a request is lost or answered twice, or a slot is taken twice
 */
export async function simulate({ profile, slots, timesNs, objectiveNs, seed }, createScheduler) {
  const luck = createSeededRandom(seed);
  const { clock, setAlarm, next } = createVirtualTime({ random: createSeededRandom(seed + 1) });
  const requests = [];
  const batchRows = [];
  let settled = 0;

  function settle(request, state) {
    if (request.state !== 'waiting')
      throw new Error(`request ${request.index} is ${state}, and was ${request.state}`);
    request.state = state;
    request.finishedNs = clock.nowNs();
    settled += 1;
  }

  const bench = {
    clock,
    setAlarm,
    slots,
    freeSlots: slots,
    objectiveNs,
    profile,
    start(rows, done) {
      if (bench.freeSlots === 0) throw new Error(`a run of ${rows} rows without a free slot`);
      bench.freeSlots -= 1;
      batchRows.push(rows);
      const ns = profile.quantileNs(rows, luck());
      setAlarm(() => {
        bench.freeSlots += 1;
        done(ns);
      }, clock.nowNs() + ns);
    },
    run(batch, done) {
      bench.start(batch.length, (ns) => {
        for (const request of batch) settle(request, 'answered');
        done?.(ns);
      });
    },
    answer: (request) => settle(request, 'answered'),
    refuse: (request) => settle(request, 'refused'),
  };
  const scheduler = createScheduler(bench);

  function arrive() {
    const index = requests.length;
    const arrivedNs = clock.nowNs();
    const deadlineNs = arrivedNs + objectiveNs;
    const request = { index, arrivedNs, deadlineNs, state: 'waiting', finishedNs: Number.NaN };
    requests.push(request);
    if (index + 1 < timesNs.length) setAlarm(arrive, timesNs[index + 1]);
    scheduler.arrive(request);
  }

  setAlarm(arrive, timesNs[0]);
  while (settled < timesNs.length) {
    if (!next()) throw new Error(`${timesNs.length - settled} requests were lost`);
    if (scheduler.hasPromises === true) await new Promise(setImmediate);
  }
  return { requests, batchRows };
}
