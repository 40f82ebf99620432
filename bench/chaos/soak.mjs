import { setTimeout as sleep } from 'node:timers/promises';
import { startFaultProxy } from '../../test/faults/fault-proxy.mjs';
import { createRandom } from '../harness/batching/arrivals.mjs';
import { encodeHttp } from '../soak/http-messages.mjs';
import { growthOf, memoryGrowth } from '../soak/judge.mjs';
import { createClient } from './client.mjs';
import {
  DAMAGE,
  HALF_OPEN,
  LATENCY,
  RESETS,
  SILENCE,
  SLOW_CLIENTS,
  VANISHED_CLIENTS,
} from './faults/connections.mjs';
import { KILL_INSTANCE, STOP_INSTANCE } from './faults/instances.mjs';
import { STALL } from './faults/server.mjs';
import { startLoad } from './load.mjs';
import { DEADLINE_MS } from './measure-fault.mjs';
import { requestOf, SINES, SUMS } from './models.mjs';
import { OUTCOMES } from './outcomes.mjs';
import { heldBy } from './processes.mjs';
import { readResources, resourcesEnv } from './resources.mjs';
import { startServed } from './served.mjs';

/** What can happen to a server that goes on to live. */
const FAULTS = [
  ...[KILL_INSTANCE, STOP_INSTANCE, STALL, LATENCY, RESETS, SILENCE, HALF_OPEN, DAMAGE],
  ...[SLOW_CLIENTS, VANISHED_CLIENTS],
];
const RATE_PER_SECOND = 150;
const LONGEST_CYCLE_SECONDS = 15;
/** As many pauses as growth is judged from. */
const CYCLES = 12;
/** Of a cycle, for the pause in which nothing is open. */
const SETTLE_WITHIN_MS = 4000;
const AFTER_FAULT_SECONDS = 1;
const MOST_FAULT_SECONDS = 6;
/** Two and a half timers a connection are forgotten a moment later than it. */
const SPARE = 3;

/**
 * Minutes of load with two faults at once, by chance, again and again, and a pause after each in which nothing is open:
 * what the server holds there is to stay the same.
 */
export async function runSoak({ minutes, seed, folder, say }) {
  const random = createRandom(seed * 31 + 5);
  const own = `${folder}/soak`;
  const engine = { instances: 2, host: 'process', intraOpThreads: 1 };
  const server = await startServed({
    ...{ policies: 'default', folder: own, cache: `${folder}/cache` },
    models: [SUMS, SINES].map((model) => ({ ...model, engine })),
    env: resourcesEnv(own),
  });
  const counts = Object.fromEntries(OUTCOMES.map((is) => [is, 0]));
  const faults = {};
  const pauses = [];
  const examples = [];
  const startMs = performance.now();
  const cycleSeconds = Math.min(LONGEST_CYCLE_SECONDS, (minutes * 60) / CYCLES);
  const firstPid = server.server();
  try {
    for (let cycle = 0; performance.now() - startMs < minutes * 60_000; cycle += 1) {
      const chosen = [FAULTS[cycle % FAULTS.length], FAULTS[Math.floor(random() * FAULTS.length)]];
      for (const { name } of chosen) faults[name] = (faults[name] ?? 0) + 1;
      const records = await runCycle({ server, chosen, cycle, seed, cycleSeconds, random });
      for (const one of records) {
        counts[one.is] += 1;
        if (['wrong', 'lost', 'failed'].includes(one.is) && examples.length < 20)
          examples.push({ cycle, faults: chosen.map(({ name }) => name), ...one });
      }
      pauses.push({ seconds: Math.round((performance.now() - startMs) / 1000), ...(await atRest(server)) });
      const { memoryMib, handles, threads, timers } = pauses.at(-1);
      say(
        `soak, ${pauses.at(-1).seconds} s, ${chosen.map(({ name }) => name).join(' and ')}: ${counts.correct} right, ${counts.refused} refused, ${counts.lost + counts.wrong + counts.failed} faults; ${memoryMib.toFixed(0)} MiB, ${handles} handles, ${threads} threads, ${timers} timers`,
      );
    }
    const isSame = server.isRunning() && server.server() === firstPid;
    return { minutes, counts, faults, pauses, examples, findings: judge({ counts, pauses, isSame }) };
  } finally {
    await server.stop();
  }
}

function judge({ counts, pauses, isSame }) {
  const none = (what, count) => ({ what, isOk: count === 0, found: String(count) });
  const flat = (what, key, spare) =>
    growthOf(
      what,
      pauses,
      (pause) => pause[key],
      (first) => first + spare,
    );
  return [
    { what: 'requests', isOk: counts.correct > 0, found: String(counts.correct) },
    none('wrong answers', counts.wrong),
    none('lost', counts.lost),
    none('refused although nothing was wrong with them', counts.failed),
    { what: 'the server is the one that was started', isOk: isSame, found: isSame ? 'yes' : 'no' },
    memoryGrowth(pauses),
    flat('file descriptors', 'handles', SPARE),
    flat('threads', 'threads', SPARE),
    flat('timers', 'timers', SPARE),
    flat('other resources of the event loop', 'resources', SPARE),
  ];
}

/** @returns the records of those who were not on a connection that was treated badly */
async function runCycle({ server, chosen, cycle, seed, cycleSeconds, random }) {
  const surplus = [];
  const onSurplus = (says) => surplus.push({ is: 'wrong', says });
  // Two proxies, so that faults of connections do not undo each other.
  const proxies = await Promise.all(
    chosen.map((_, at) => startFaultProxy({ targetPort: server.port, seed: seed + cycle * 2 + at })),
  );
  const direct = createClient({ port: server.port, onSurplus });
  // What comes back from there may be damaged.
  const through = proxies.map(({ port }) => createClient({ port, onSurplus() {} }));
  const load = startLoad({
    clients: [
      { client: direct, group: 'direct', share: 2 },
      ...through.map((client) => ({ client, group: 'proxied', share: 1 })),
    ],
    mix: [
      [SUMS.name, 0.85],
      [SINES.name, 0.15],
    ],
    ...{ ratePerSecond: RATE_PER_SECOND, seconds: cycleSeconds, seed: seed * 1000 + cycle },
    deadlineMs: DEADLINE_MS,
  });
  const seconds = Math.min(MOST_FAULT_SECONDS, Math.max(0.5, cycleSeconds - AFTER_FAULT_SECONDS));
  let number = 0;
  await Promise.all(
    chosen.map((fault, at) =>
      fault.inject({
        ...{ server, random, seconds, sleep, port: server.port, proxy: proxies[at], count() {} },
        bytesOf: (model) =>
          encodeHttp(
            requestOf({ number: 800_000 + number++, model, isBinary: true, deadlineMs: DEADLINE_MS, random }),
          ),
      }),
    ),
  );
  await load.done;
  for (const client of [direct, ...through]) client.close();
  for (const proxy of proxies) await proxy.stop();
  return [...load.records.filter(({ group }) => group === 'direct'), ...surplus];
}

/** What the server's own process holds when nothing is open any more: when two looks find the same. */
async function atRest(server) {
  const look = () => ({ ...heldBy(server.server()), ...readResources(`${server.folder}`) });
  const untilMs = performance.now() + SETTLE_WITHIN_MS;
  let held = look();
  for (let same = 0; same < 2 && performance.now() < untilMs; ) {
    await sleep(300);
    const now = look();
    same = now.handles === held.handles && now.timers === held.timers ? same + 1 : 0;
    held = now;
  }
  return held;
}
