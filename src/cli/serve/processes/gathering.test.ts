import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../base/telemetry/log.ts';
import { SILENT } from '../../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../../base/telemetry/metrics-registry.ts';
import { createGathering } from './gathering.ts';
import type { Result } from './messages.ts';
import type { ServingProcess } from './serving-process.ts';

interface Fake extends ServingProcess {
  readonly asked: string[];
  /** What it answers next; undefined: nothing. */
  answer: Result | undefined;
}

const DONE: Result = { value: undefined };
const REFUSED: Result = {
  refusal: { code: 'MODEL_NOT_FOUND', message: 'no', details: undefined, retryAfterMs: undefined },
};

function fake(index: number): Fake {
  const asked: string[] = [];
  return {
    ...{ index, isReady: false, lastMetrics: '', openConnections: 0, lastGiven: 0, asked, answer: DONE },
    give() {},
    takeBack: () => [],
    send() {},
    async ask(topic, question) {
      asked.push(`${topic} ${JSON.stringify(question)}`);
      return this.answer;
    },
    hear() {},
    ended() {},
  };
}

async function gatherFrom(count: number) {
  const log: Logger = { ...SILENT, level: 'info' };
  const gathering = createGathering({ log, ownMetrics: () => '' });
  const processes = Array.from({ length: count }, (_, index) => fake(index)) as [Fake, ...Fake[]];
  for (const each of processes) await gathering.join(each);
  return { log, gathering, processes };
}

function metricsOf(requests: number): string {
  const metrics = createMetricsRegistry();
  metrics.counter('requests', 'R.').labels().inc(requests);
  metrics.gauge('held', 'H.').labels().set(requests);
  return metrics.render();
}

describe('createGathering', () => {
  it('asks all, the asker first, and leaves out who does not answer', async () => {
    const { gathering, processes } = await gatherFrom(3);
    for (const each of processes) each.answer = { value: each.index };
    const asker = processes[2]!;
    const results = () => gathering.ask(asker, 'index', {});
    expect(await results()).toEqual([{ value: 2 }, { value: 0 }, { value: 1 }]);
    processes[0].answer = undefined;
    expect(await results()).toEqual([{ value: 2 }, { value: 1 }]);
  });

  it('tells who comes later all that was changed, and nothing that was refused or is of no account', async () => {
    const { gathering, processes, log } = await gatherFrom(2);
    const [one] = processes;
    await gathering.ask(one, 'load', { model: 'a', request: { config: 'old' } });
    await gathering.ask(one, 'load', { model: 'a', request: { config: 'new' } });
    await gathering.ask(one, 'unload', { model: 'b' });
    await gathering.ask(one, 'logSettings', { log_info: false });
    await gathering.ask(one, 'logSettings', { log_warning: false });
    const breakerOf = (model: string) => ({ model, version: undefined });
    await gathering.ask(one, 'changeBreaker', { ...breakerOf('a'), action: 'open' });
    await gathering.ask(one, 'changeBreaker', { ...breakerOf('b'), action: 'open' });
    await gathering.ask(one, 'changeBreaker', { ...breakerOf('b'), action: 'reset' });
    expect(log.level).toBe('error');
    one.answer = REFUSED;
    await gathering.ask(one, 'load', { model: 'c', request: {} });
    const late = fake(2);
    await gathering.join(late);
    expect(late.asked).toEqual([
      'load {"model":"a","request":{"config":"new"}}',
      'unload {"model":"b"}',
      'logSettings {"log_info":false,"log_warning":false}',
      'changeBreaker {"model":"a","action":"open"}',
    ]);
    expect(late.isReady).toBe(true);
  });

  it('makes changes one after the other, and lets nobody join in between', async () => {
    const { gathering, processes } = await gatherFrom(1);
    const [one] = processes;
    let finish = () => {};
    one.ask = () => new Promise((resolve) => (finish = () => resolve(DONE)));
    const changed = gathering.ask(one, 'load', { model: 'a', request: {} });
    const late = fake(1);
    const joined = gathering.join(late);
    await new Promise((resolve) => setImmediate(resolve));
    expect([late.isReady, late.asked]).toEqual([false, []]);
    finish();
    await Promise.all([changed, joined]);
    expect([late.isReady, late.asked]).toEqual([true, ['load {"model":"a","request":{}}']]);
  });

  it('adds up counters that never fall: of who ends, and of who is busy', async () => {
    const { gathering, processes } = await gatherFrom(2);
    const [one, other] = processes as [Fake, Fake];
    const read = async () => {
      const text = await gathering.metrics();
      return ['requests_total', 'held'].map((name) =>
        Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]),
      );
    };
    one.answer = { value: metricsOf(3) };
    other.answer = { value: metricsOf(4) };
    expect(await read()).toEqual([7, 7]);
    other.answer = undefined;
    expect(await read()).toEqual([7, 7]);
    gathering.left(other);
    expect(await read()).toEqual([7, 3]);
  });
});
