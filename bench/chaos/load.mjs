import { createRandom, scheduleOf } from '../harness/batching/arrivals.mjs';
import { encodeHttp } from '../soak/http-messages.mjs';
import { requestOf } from './models.mjs';
import { outcomeOf } from './outcomes.mjs';

/** After its deadline a request is waited for so much longer before it counts as lost. */
const LOST_AFTER_MS = 5000;

/**
 * An open-loop load: each request is sent at the time that was fixed for it, whatever became of those before, and its
 * answer is compared with what it is to be.
 *
 * @param clients what `createClient` makes, each with the share of the requests that go through it and the name of
 *   their `group`
 * @param tellsDeadline false: the server is not told by when the answer is wanted
 * @param mix models' names and their shares
 * @returns `records`, which fill up, and `done`, when each request has its outcome. Times are of performance.now().
 */
export function startLoad({ clients, mix, ratePerSecond, seconds, seed, deadlineMs, tellsDeadline = true }) {
  const schedule = scheduleOf({ kind: 'poisson', ratePerSecond, seconds, seed });
  const random = createRandom(seed * 7919 + 1);
  const records = [];
  const asked = [];
  const startMs = performance.now();
  let isStopped = false;

  async function send(number) {
    const model = pick(mix, random);
    const { client, group } = pick(
      clients.map((one) => [one, one.share]),
      random,
    );
    const request = requestOf({
      ...{ number, model, isBinary: random() < 0.5, deadlineMs, tellsDeadline, random },
    });
    const bytes = encodeHttp(request);
    const sentMs = performance.now();
    const record = { number, model, group, dueMs: startMs + schedule[number], sentMs };
    records.push(record);
    const came = await client.ask(bytes, deadlineMs + LOST_AFTER_MS);
    record.doneMs = performance.now();
    record.openedMs = came.openedMs;
    Object.assign(record, outcomeOf(request, came, record.doneMs - sentMs));
  }

  async function sendAll() {
    for (let next = 0; next < schedule.length && !isStopped; ) {
      const now = performance.now() - startMs;
      while (next < schedule.length && schedule[next] <= now) asked.push(send(next++));
      if (next < schedule.length) await sleep(Math.max(0, schedule[next] - now));
    }
    await Promise.all(asked);
  }

  return {
    records,
    startMs,
    done: sendAll(),
    stop() {
      isStopped = true;
    },
  };
}

/**
 * A closed loop: so many clients, each with one request at a time.
 * @returns right answers a second
 */
export async function measurePeak({ client, model, inFlight, seconds, seed, deadlineMs }) {
  const random = createRandom(seed * 104_729 + 1);
  const untilMs = performance.now() + seconds * 1000;
  let number = 0;
  let correct = 0;
  const others = {};
  async function loop() {
    while (performance.now() < untilMs) {
      const request = requestOf({ number: number++, model, isBinary: random() < 0.5, deadlineMs, random });
      const sentMs = performance.now();
      const came = await client.ask(encodeHttp(request), deadlineMs + LOST_AFTER_MS);
      const now = performance.now();
      const { is } = outcomeOf(request, came, now - sentMs);
      if (is !== 'correct') others[is] = (others[is] ?? 0) + 1;
      else if (now <= untilMs) correct += 1;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop));
  return { perSecond: correct / seconds, others };
}

function pick(shares, random) {
  let left = random() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [value, share] of shares) {
    left -= share;
    if (left < 0) return value;
  }
  return shares.at(-1)[0];
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
