import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.mjs';
import { loadFor } from './measure.mjs';
import { cpuUsOf, mainThreadCpuUsOf } from './process-cost.mjs';
import { readGcTrace } from './read-gc-trace.mjs';
import { readAllocations, readCpuProfile } from './read-profile.mjs';
import { SAMPLE_EVERY_US } from './record-profile.mjs';
import { startServer } from './server-process.mjs';

const RECORDER = fileURLToPath(new URL('./record-profile.mjs', import.meta.url));
const WARM_UP_SECONDS = 2;
/** Until a server has written its profile. */
const TO_WRITE_MS = 30_000;

/**
 * Where a server on Node spends its time under load: once with its collector's trace, once under V8's sampling
 * profiler, once with its allocations sampled, since they slow it down. The profile, which is of the main thread,
 * gives the shares; the first run gives the CPU time of the main thread that they are shares of.
 */
export async function profileServer(server, model, encoding, options) {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-profile-'));
  const record = async (file, read) => {
    const env = { NIMIFY_BENCH_PROFILE: join(folder, file) };
    const { load } = await underLoad(server, model, encoding, { ...options, env }, ['--import', RECORDER]);
    return read(JSON.parse(readFileSync(env.NIMIFY_BENCH_PROFILE, 'utf8')), load.requests);
  };
  try {
    const { root } = options;
    const traced = await underLoad(server, model, encoding, options, ['--trace-gc']);
    const { load, cpuUsPerRequest, mainThreadUsPerRequest } = traced;
    const times = await record('time.cpuprofile', (profile) =>
      readCpuProfile(profile, { root, intervalUs: SAMPLE_EVERY_US, usPerRequest: mainThreadUsPerRequest }),
    );
    const allocations = await record('allocations.heapprofile', (profile, requests) =>
      readAllocations(profile, { root, requests }),
    );
    return {
      ...{ server: server.name, model: model.name, encoding, connections: options.connections },
      ...{ requests: load.requests, perSecond: load.perSecond },
      ...{ cpuUsPerRequest, mainThreadUsPerRequest },
      ...readGcTrace(traced.output, { ...traced, requests: load.requests }),
      ...{ ...times, allocations },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function underLoad(server, model, encoding, options, nodeFlags) {
  const { connections, seconds: forSeconds, serverCore: core, loadCore, cache, env: added } = options;
  const port = await freePort();
  const probe = { port, ...server.request(model, encoding) };
  const { command, args, env, cwd } = await server.start(model, port);
  const startedAt = performance.now();
  const started = await startServer(
    { command, args: [...nodeFlags, ...args], env: { ...env, ...added }, cwd },
    { core, probe },
  );
  const signal = () => {
    if (added !== undefined) process.kill(started.group, 'SIGUSR2');
  };
  try {
    const runLoad = loadFor(server, model, encoding, cache);
    const loadDuring = (seconds) => runLoad({ port, connections, seconds, core: loadCore });
    await loadDuring(WARM_UP_SECONDS);
    signal();
    const cpuBeforeUs = cpuUsOf(started.group);
    const mainBeforeUs = mainThreadCpuUsOf(started.group);
    const fromMs = performance.now() - startedAt;
    const load = await loadDuring(forSeconds);
    const toMs = performance.now() - startedAt;
    const cpuUsPerRequest = (cpuUsOf(started.group) - cpuBeforeUs) / load.requests;
    const mainThreadUsPerRequest = (mainThreadCpuUsOf(started.group) - mainBeforeUs) / load.requests;
    signal();
    for (let waitedMs = 0; added !== undefined && waitedMs < TO_WRITE_MS; waitedMs += 100) {
      if (existsSync(added.NIMIFY_BENCH_PROFILE)) break;
      await sleep(100);
    }
    await started.stop();
    return { load, cpuUsPerRequest, mainThreadUsPerRequest, output: started.output(), fromMs, toMs };
  } finally {
    await started.stop();
  }
}
