import type { Worker } from 'node:cluster';
import type { Clock } from '../../base/util/clock.ts';
import type { FromServing, ToServing } from './process-link.ts';

/** A process that does not answer in this time is left out: what it counted is there at the next scrape. */
const LONGEST_MS = 2000;

let lastId = 0;

/** What each of the processes counts, of those that answer. */
export async function askMetrics(workers: readonly Worker[], clock: Clock): Promise<readonly string[]> {
  lastId += 1;
  const id = lastId;
  const texts = await Promise.all(workers.map((worker) => askOne(worker, id, clock)));
  return texts.filter((text) => text !== undefined);
}

function askOne(worker: Worker, id: number, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    function settle(text: string | undefined): void {
      timer.cancel();
      worker.off('message', onMessage);
      worker.off('exit', onExit);
      resolve(text);
    }
    const onExit = () => settle(undefined);
    function onMessage(message: FromServing): void {
      if (message.kind === 'metrics' && message.id === id) settle(message.text);
    }
    const timer = clock.setTimer(onExit, LONGEST_MS);
    worker.on('message', onMessage);
    worker.on('exit', onExit);
    const question: ToServing = { kind: 'metrics', id };
    worker.send(question, (failed) => failed && onExit());
  });
}
