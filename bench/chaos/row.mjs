import { OUTCOMES } from './outcomes.mjs';

/** Of time, in which requests are counted together. */
const BIN_MS = 250;
/** Of a bin's requests, to be answered in time for it to count as well. */
const WELL_SHARE = 0.95;
const MOST_EXAMPLES = 8;

/**
 * What became of the requests of one fault.
 *
 * @param records of load.mjs; times of performance.now()
 * @param begins when the fault began, by both clocks
 * @param diedMs when the server's process ended, where it did
 */
export function rowOf({ fault, policies, begins, endsMs, startMs, records, diedMs, ...more }) {
  const judged = records.filter(({ group }) => group === 'direct' || fault.judgesProxied);
  const others = records.filter((one) => !judged.includes(one));
  // A connection dies with the process that held it. What came later has no such excuse.
  const isInFlight = (one) => one.is === 'lost' && one.openedMs < diedMs;
  const inFlight = judged.filter(isInFlight).length;
  const counts = countsOf(judged);
  const { surplus, events, counters, calls, extras, isAlive } = more;
  const requests = judged.length;
  return {
    ...{ fault: fault.name, policies, requests, ...counts },
    lost: counts.lost - inFlight,
    wrong: counts.wrong + surplus,
    inFlight,
    goodShare: counts.correct / requests,
    // Of a server that died: of those who were not in it, and when it was there again.
    ...(diedMs === undefined
      ? {}
      : { goodShareOfOthers: counts.correct / (requests - inFlight), backMs: backAfter(judged, diedMs) }),
    ...(others.length === 0 ? {} : { proxied: { requests: others.length, ...countsOf(others) } }),
    detectMs: sinceOf(events, fault.signs, begins),
    mendMs: sinceOf(events, fault.mends, begins),
    recoverMs: recoverOf(judged, endsMs),
    lastsMs: endsMs - begins.ms,
    retries: counters.retries,
    hedges: counters.hedges,
    amplification: calls === undefined ? 1 + counters.retries / requests : calls / requests,
    ...latenciesOf(judged),
    ...{ extras, isAlive },
    refusals: countBy(judged.filter(({ is }) => is === 'refused' || is === 'failed')),
    examples: judged
      .filter((one) => ['lost', 'wrong', 'failed', 'late'].includes(one.is) && !isInFlight(one))
      .slice(0, MOST_EXAMPLES)
      .map(({ number, model, is, says, sentMs, doneMs }) => ({
        ...{ number, model, is, says },
        atMs: Math.round(sentMs - begins.ms),
        tookMs: Math.round(doneMs - sentMs),
      })),
    bins: binsOf(judged, startMs, begins.ms),
  };
}

/** From the death of a server to the first answer to who asked afterwards. Undefined: there was none. */
function backAfter(records, diedMs) {
  const answered = records.filter(({ is, sentMs }) => is === 'correct' && sentMs > diedMs);
  return answered.length === 0 ? undefined : Math.min(...answered.map(({ doneMs }) => doneMs)) - diedMs;
}

function countsOf(records) {
  const counts = Object.fromEntries(OUTCOMES.map((is) => [is, 0]));
  for (const { is } of records) counts[is] += 1;
  return counts;
}

function countBy(records) {
  const counts = {};
  for (const { says } of records) counts[says] = (counts[says] ?? 0) + 1;
  return counts;
}

/** When the first event of these types was reported, since the fault began. Undefined: none was. */
function sinceOf(events, types = [], { wallMs }) {
  const times = events
    .filter(({ type }) => types.includes(type))
    .map(({ time }) => Date.parse(time) - wallMs)
    .filter((ms) => ms >= 0);
  return times.length === 0 ? undefined : Math.min(...times);
}

/**
 * How long after the fault's end the last bin ended in which not nearly all requests were answered in time; 0 where there
 * is none. Undefined: they never were again.
 */
function recoverOf(records, endsMs) {
  const bins = new Map();
  for (const { dueMs, is } of records) {
    if (dueMs < endsMs) continue;
    const at = Math.floor((dueMs - endsMs) / BIN_MS);
    const bin = bins.get(at) ?? { due: 0, correct: 0 };
    bin.due += 1;
    if (is === 'correct') bin.correct += 1;
    bins.set(at, bin);
  }
  const last = Math.max(...bins.keys());
  const bad = [...bins].filter(([, { due, correct }]) => correct < Math.min(due - 1, due * WELL_SHARE));
  const latest = Math.max(-1, ...bad.map(([at]) => at));
  return latest >= last ? undefined : (latest + 1) * BIN_MS;
}

function latenciesOf(records) {
  const sorted = records
    .filter(({ is }) => is === 'correct' || is === 'late')
    .map(({ sentMs, doneMs }) => doneMs - sentMs)
    .sort((a, b) => a - b);
  const late = records.map(({ dueMs, sentMs }) => sentMs - dueMs).sort((a, b) => a - b);
  const of = (list, share) => list[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN;
  return {
    p50Ms: of(sorted, 0.5),
    p99Ms: of(sorted, 0.99),
    maxMs: of(sorted, 1),
    sentLateP99Ms: of(late, 0.99),
    sentLateMaxMs: of(late, 1),
  };
}

/** For the plot: what was due and what was right, each 250 ms; `fromMs` is the first bin's time since the fault began. */
function binsOf(records, startMs, beginsMs) {
  const count = 1 + Math.max(...records.map(({ dueMs }) => Math.floor((dueMs - startMs) / BIN_MS)));
  const due = Array(count).fill(0);
  const correct = Array(count).fill(0);
  for (const one of records) {
    const at = Math.floor((one.dueMs - startMs) / BIN_MS);
    due[at] += 1;
    if (one.is === 'correct') correct[at] += 1;
  }
  return { fromMs: Math.round(startMs - beginsMs), binMs: BIN_MS, due, correct };
}
