import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { askGrpc } from './ask-grpc.mjs';
import { cpuUsOf, signalAll } from './process-cost.mjs';

const READY_WITHIN_MS = 90_000;
/** Of what a server writes; room for a trace of its collector. */
const KEPT_CHARACTERS = 8_000_000;

/** Groups that are running: none outlives this process, however it ends, stopped ones least of all. */
const groups = new Set();
process.on('exit', () => {
  for (const group of groups) signalAll(group, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/**
 * Starts a server on one core, with its children, in a process group of its own, and waits until it answers
 * `probe` with 200.
 *
 * @returns {Promise<object>} `firstAnswerMs` since the start; `pause` stops every process of the group, so that
 *   servers that are not measured take no time from the one that is; `settle` waits until it has no work left.
 */
export async function startServer({ command, args, env, cwd }, { core, probe }) {
  const startedAt = performance.now();
  const child = spawn('taskset', ['-c', core, command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  groups.add(child.pid);
  let said = '';
  const keep = (chunk) => {
    said = (said + chunk).slice(-KEPT_CHARACTERS);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  let ended = false;
  const end = new Promise((resolve) =>
    child.on('exit', () => {
      ended = true;
      resolve();
    }),
  );

  const server = {
    group: child.pid,
    /** What it has written, the last of it. */
    output: () => said,
    pause: () => signalAll(child.pid, 'SIGSTOP'),
    resume: () => signalAll(child.pid, 'SIGCONT'),
    async settle(atMostMs = 20_000) {
      const until = performance.now() + atMostMs;
      for (let before = cpuUsOf(child.pid); performance.now() < until; ) {
        await sleep(60);
        const now = cpuUsOf(child.pid);
        if (now === before) return;
        before = now;
      }
    },
    /** Ends it by force where it has not ended by itself within so long. */
    async stop(graceMs = 8000) {
      if (ended) return;
      signalAll(child.pid, 'SIGCONT');
      signalAll(child.pid, 'SIGTERM');
      await Promise.race([end, sleep(graceMs)]);
      signalAll(child.pid, 'SIGKILL');
      await end;
      groups.delete(child.pid);
    },
  };

  while (performance.now() - startedAt < READY_WITHIN_MS && !ended) {
    const answer = await ask(probe).catch(() => undefined);
    if (answer?.status === 200) return { ...server, firstAnswerMs: performance.now() - startedAt, answer };
    await sleep(2);
  }
  await server.stop();
  throw new Error(`no answer from ${command} ${args.join(' ')}; it said:\n${said.slice(-2000)}`);
}

/** One request on a connection of its own. */
export function ask({ isGrpc, ...question }) {
  return isGrpc ? askGrpc(question) : askHttp(question);
}

function askHttp({ port, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method: 'POST', headers, agent: false },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.setTimeout(30_000, () => sent.destroy(new Error('no answer within 30 s')));
    sent.end(body);
  });
}
