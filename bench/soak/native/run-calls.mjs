/**
 * The process of `node bench/soak/native.mjs` in which the calls are made: it tells its parent what came of them. Ends by
 * itself; where it does not, that is a finding.
 */
import { setImmediate } from 'node:timers/promises';
import { BORROWED } from '../../../dist/base/tensor/owner.js';
import { createCancelSource } from '../../../dist/base/util/cancel.js';
import { systemClock } from '../../../dist/base/util/clock.js';
import { createSeededRandom } from '../../../dist/base/util/seeded-random.js';
import { createRunPlaces } from '../../../dist/engine/host/run-places.js';
import { openSharedSession } from '../../../dist/engine/onnxruntime/native/shared-session.js';
import { findSubjects, isSame } from './subjects.mjs';

/** Calls at once, on as many places as a server gives runs, and twice that. */
const PLACES = 8;
const CALLERS = 16;
/** Shares of calls that happen within the call, and of those elsewhere that are cancelled. */
const AT_ONCE = 0.5;
const CANCELLED = 0.15;
/** Calls between collections, and between sessions that are closed and opened anew. */
const COLLECT_EVERY = 4000;
const REOPEN_EVERY = 20_000;
const PAUSES = 50;
/** Answers that are looked at again later: nobody may have written to them since. */
const KEPT = 256;

const { calls, seed } = JSON.parse(process.argv[2]);
const random = createSeededRandom(seed);
const deps = { clock: systemClock, places: createRunPlaces(PLACES) };
const counts = {
  atOnce: 0,
  elsewhere: 0,
  answered: 0,
  refused: 0,
  cancelled: 0,
  ended: 0,
  reopened: 0,
  collected: 0,
};
const faults = [];
const pauses = [];
const kept = [];
let begun = 0;

const subjects = await findSubjects();
for (const subject of subjects) subject.session = await open(subject);
const total = subjects.reduce((sum, subject) => sum + weightOf(subject), 0);
process.send({ subjects: subjects.map(({ name, requests }) => ({ name, requests: requests.length })) });

const startNs = process.hrtime.bigint();
for (let pause = 0; pause <= PAUSES; pause += 1) {
  const until = Math.round((calls * pause) / PAUSES);
  await Promise.all(Array.from({ length: CALLERS }, () => callUntil(until)));
  globalThis.gc();
  globalThis.gc();
  const { rss, arrayBuffers } = process.memoryUsage();
  pauses.push({ calls: begun, memoryMib: rss / 2 ** 20, buffersMib: arrayBuffers / 2 ** 20 });
  process.send({ pause: { ...pauses.at(-1), faults: faults.length } });
}
for (const { session } of subjects) await session.close();
const tookSeconds = Number(process.hrtime.bigint() - startNs) / 1e9;
const { user, system } = process.cpuUsage();
process.send({ counts, faults, pauses, tookSeconds, cpuSeconds: (user + system) / 1e6 });
process.disconnect();

async function callUntil(until) {
  while (begun < until && faults.length < 20) {
    begun += 1;
    if (begun % COLLECT_EVERY === 0) collect();
    const subject = pick();
    if (begun % REOPEN_EVERY === 0) await reopen(subject);
    await call(subject);
  }
}

/** Long runs less often than short ones, so that there are many calls. */
function weightOf({ runNs }) {
  return 1 / runNs;
}

function pick() {
  let left = random() * total;
  for (const subject of subjects) {
    left -= weightOf(subject);
    if (left < 0) return subject;
  }
  return subjects[0];
}

async function call({ name, session, requests, runNs }) {
  const at = Math.floor(random() * requests.length);
  const { inputs, outputs, expected, refusal } = requests[at];
  const isFresh = random() < 0.5;
  const request = { inputs: isFresh ? inputs.map(copyOf) : inputs, outputs, owner: BORROWED };
  const cancel = createCancelSource();
  let got;
  try {
    if (random() < AT_ONCE) {
      counts.atOnce += 1;
      got = session.runNow(request);
      if (random() < 0.05) await setImmediate();
    } else {
      counts.elsewhere += 1;
      const running = session.run(request, cancel);
      if (random() < CANCELLED) void cancelLater(cancel, runNs);
      got = await running;
    }
  } catch ({ code, message, cause }) {
    if (cancel.cancelled && code === 'CANCELLED') counts.ended += 1;
    else if (refusal === `${code}: ${message}`) counts.refused += 1;
    else
      faults.push({
        name,
        at,
        expected: refusal ?? 'an answer',
        got: `${code}: ${message}`,
        cause: String(cause),
      });
    return;
  }
  counts.answered += 1;
  // Whoever reads a request after its answer reads something else.
  if (isFresh)
    for (const { data } of request.inputs)
      if (ArrayBuffer.isView(data)) new Uint8Array(data.buffer).fill(0x5a);
  if (expected === undefined) faults.push({ name, at, expected: refusal, got: 'an answer' });
  else check({ name, at, outputs: got.outputs, owner: got.owner, expected });
}

function check(one) {
  const say = (when) => faults.push({ name: one.name, at: one.at, expected: 'the answer', got: when });
  if (!isSame(one.outputs, one.expected)) say('another answer');
  kept.push(one);
  if (kept.length <= KEPT) return;
  const [old] = kept.splice(Math.floor(random() * KEPT), 1);
  if (!isSame(old.outputs, old.expected)) say(`an answer that changed later: ${old.name}`);
  // Later runs write there.
  old.owner?.release();
}

async function cancelLater(cancel, runNs) {
  counts.cancelled += 1;
  const untilNs = process.hrtime.bigint() + BigInt(Math.floor(random() * 1.5 * runNs));
  while (process.hrtime.bigint() < untilNs) await setImmediate();
  cancel.cancel('client-left');
}

/** In memory of its own, somewhere in it. */
function copyOf(tensor) {
  const { data } = tensor;
  if (!ArrayBuffer.isView(data))
    return { ...tensor, data: { bytes: data.bytes.slice(), offsets: data.offsets.slice() } };
  const from = 8 * Math.floor(random() * 8);
  const copy = new data.constructor(new ArrayBuffer(from + data.byteLength + 8), from, data.length);
  copy.set(data);
  return { ...tensor, data: copy };
}

function collect() {
  counts.collected += 1;
  globalThis.gc({ type: random() < 0.8 ? 'minor' : 'major' });
}

function open({ path }) {
  return openSharedSession({ path, intraOpThreads: 1 }, deps);
}

/** Runs in flight are answered by the session that they were asked of. */
async function reopen(subject) {
  counts.reopened += 1;
  const { session } = subject;
  subject.session = await open(subject);
  await session.close();
}
