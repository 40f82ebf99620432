import { NimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { sumMetrics } from '../base/telemetry/sum-metrics.ts';
import type { EventFilter, EventLog, EventRecord } from '../control/events/contract.ts';
import { selectRecords, worstFirst } from '../control/events/select-records.ts';
import type { SloCounts, SloLedger } from '../control/slo/contract.ts';
import type { Registry } from '../registry/contract.ts';
import type { ModelControl } from '../registry/live/contract.ts';
import {
  type BreakerAction,
  type BreakerStatus,
  changeBreaker,
  joinBreakers,
  readBreaker,
} from './breakers.ts';
import { joinIndexes } from './join-index.ts';
import { changeLogSettings, type LogSettings } from './log-settings.ts';
import type { Answering, AnswerOf, CountedModel, LogChanges, Peers, QuestionOf, Topic } from './peers.ts';
import { sumStatistics } from './sum-statistics.ts';

/** All processes that serve the same address as one; mostly this one is alone. */
export interface Cluster {
  /** In the Prometheus text format. */
  renderMetrics(): Promise<string>;
  /** @throws NimifyError as `Registry.statistics` */
  statistics(model?: string, version?: string): Promise<readonly CountedModel[]>;
  /** @throws NimifyError as the function of this name */
  changeLogSettings(changes: LogChanges): Promise<LogSettings>;
  /** In the order of their time. */
  events(filter: EventFilter): Promise<readonly EventRecord[]>;
  /** The last record of each incident that is not resolved, the worst first. */
  openIncidents(): Promise<readonly EventRecord[]>;
  /** As each process counted it. */
  slo(): Promise<readonly (readonly SloCounts[])[]>;
  /** This process drains: nobody is to be kept waiting for news. */
  readonly isDraining: boolean;
  /** @throws NimifyError as `readBreaker` */
  breaker(model: string, version: string | undefined): Promise<BreakerStatus>;
  /** @throws NimifyError as `readBreaker` */
  changeBreaker(model: string, version: string | undefined, action: BreakerAction): Promise<BreakerStatus>;
  /** What it changes is changed in all before it resolves. */
  readonly control: ModelControl;
}

/** What belongs to this process alone. */
export interface OwnParts {
  readonly metrics: { render(): string };
  readonly registry: Pick<Registry, 'statistics' | 'find'>;
  readonly control: ModelControl;
  readonly log: Logger;
  readonly events: EventLog;
  readonly slo: Pick<SloLedger, 'read'>;
}

/** @param peers undefined: this process is alone */
export function createCluster(own: OwnParts, peers?: Peers): Cluster {
  const answer = createAnswering(own);
  peers?.answerWith(async (topic, question) => {
    try {
      return await answer(topic, question);
    } catch (thrown) {
      if (!(thrown instanceof NimifyError))
        own.log.error({ err: thrown, topic }, 'a question to this process was not answered');
      throw thrown;
    }
  });

  async function ask<T extends Topic>(
    topic: T,
    question: QuestionOf<T>,
  ): Promise<readonly [AnswerOf<T>, ...AnswerOf<T>[]]> {
    if (peers === undefined) return [await answer(topic, question)];
    return (await peers.ask(topic, question)) as readonly [AnswerOf<T>, ...AnswerOf<T>[]];
  }

  return {
    async renderMetrics() {
      const texts = await ask('metrics', {});
      return texts.length === 1 ? texts[0] : sumMetrics(texts);
    },
    async statistics(model, version) {
      return sumStatistics(await ask('statistics', { model, version }));
    },
    async changeLogSettings(changes) {
      return (await ask('logSettings', changes))[0];
    },
    events: async (filter) => selectRecords((await ask('events', filter)).flat(), filter),
    openIncidents: async () => worstFirst((await ask('openIncidents', {})).flat()),
    slo: () => ask('slo', {}),
    get isDraining() {
      return own.events.isDraining;
    },
    breaker: async (model, version) => joinBreakers(await ask('breaker', { model, version })),
    changeBreaker: async (model, version, action) =>
      joinBreakers(await ask('changeBreaker', { model, version, action })),
    control: {
      mode: own.control.mode,
      async index({ readyOnly = false } = {}) {
        const entries = joinIndexes(await ask('index', {}));
        return readyOnly ? entries.filter(({ state }) => state === 'READY') : entries;
      },
      async load(model, request = {}) {
        await ask('load', { model, request });
      },
      async unload(model, options = {}) {
        await ask('unload', { model, ...options });
      },
    },
  };
}

function createAnswering({ metrics, registry, control, log, events, slo }: OwnParts): Answering {
  const answers: {
    readonly [T in Topic]: (question: QuestionOf<T>) => AnswerOf<T> | Promise<AnswerOf<T>>;
  } = {
    metrics: () => metrics.render(),
    statistics: ({ model, version }) =>
      registry.statistics(model, version).map(({ served, statistics }) => ({
        served: { name: served.name, version: served.version },
        statistics,
      })),
    index: () => control.index(),
    load: ({ model, request }) => control.load(model, request),
    unload: ({ model, ...options }) => control.unload(model, options),
    events: (filter) => events.list(filter),
    openIncidents: () => events.open(),
    slo: () => slo.read(),
    breaker: ({ model, version }) => readBreaker(registry, model, version),
    changeBreaker: ({ model, version, action }) => changeBreaker(registry, model, version, action),
    logSettings: (changes) => changeLogSettings(log, changes),
  };
  return (topic, question) => answers[topic](question);
}
