import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.mjs';
import { pssBytesOf } from './process-cost.mjs';
import { startServer } from './server-process.mjs';

/** What loads after the first answer has loaded by then. */
const IDLE_AFTER_MS = 1500;

/**
 * Starts each server alone, again and again in turn: from the start of the process to the first answer of the
 * model (200), and its memory when it has come to rest after that one request.
 */
export async function measureStartUps(servers, model, { rounds, serverCore }) {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const server of servers) {
      const port = await freePort();
      const encoding = server.encodings.at(-1);
      const probe = { port, ...server.request(model, encoding) };
      const started = await startServer(await server.start(model, port), { core: serverCore, probe });
      await sleep(IDLE_AFTER_MS);
      runs.push({
        model: model.name,
        server: server.name,
        round,
        firstAnswerMs: started.firstAnswerMs,
        idlePssBytes: pssBytesOf(started.group),
      });
      await started.stop();
    }
  }
  return runs;
}
