import { toNimifyError } from '../../base/errors/nimify-error.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Inventory, InventoryOptions, StockedModel } from '../inventory.ts';
import { takeFingerprint } from './fingerprint.ts';
import type { LoadFailure, ModelRecord } from './model-record.ts';

export interface PollerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly takeInventory: (options: InventoryOptions) => Promise<Inventory>;
  readonly apply: (model: StockedModel) => Promise<readonly LoadFailure[]>;
  readonly records: ReadonlyMap<string, ModelRecord>;
  readonly mayBeEmpty: boolean;
}

export interface Poller {
  /**
   * Is nobody writing the files of the model just now? Files that have not changed for some seconds count as settled;
   * younger ones are looked at twice.
   */
  isSettled(model: StockedModel): Promise<boolean>;
  /** The model was taken up as it is. */
  applied(model: StockedModel): void;
  start(): void;
  stop(): void;
}

/** A file that was written this long ago is not being written any more. */
const YOUNG_MS = 3000;
const SECOND_LOOK_MS = 500;

/**
 * Looks at the files from time to time, and takes up what has changed once it looked the same twice: a file that is
 * being copied grows between the looks. What fails is tried again when its files change, not before.
 */
export function createPoller(deps: PollerDeps, { pollMs }: { readonly pollMs: number }): Poller {
  const { clock, log } = deps;
  /** What each model looked like when it was taken up. */
  const taken = new Map<string, string>();
  /** What each model that is to be taken up looked like at the last look. */
  const waiting = new Map<string, string>();
  const pending = new Map<string, string>();
  let lastProblem = '';
  let timer: { cancel(): void } | undefined;
  let isStopped = false;

  async function poll(): Promise<void> {
    const { models } = await deps.takeInventory({ mayBeEmpty: deps.mayBeEmpty });
    lastProblem = '';
    const gone = [...deps.records.keys()].filter((name) => !models.some((model) => model.name === name));
    for (const name of gone) await consider({ name, found: [], unservable: [] });
    for (const model of models) await consider(model);
  }

  async function consider(model: StockedModel): Promise<void> {
    if (isStopped) return;
    const { name } = model;
    const { text } = await lookAt(model);
    if (taken.get(name) === text) {
      waiting.delete(name);
      return;
    }
    if (waiting.get(name) !== text) {
      waiting.set(name, text);
      return;
    }
    waiting.delete(name);
    log.info({ model: name }, 'its files changed');
    taken.set(name, text);
    const failures = await deps.apply(model);
    // Written to while it was loaded: another look, and another, until it stays.
    if (failures.some(({ error }) => error.code === 'CONFLICT')) taken.delete(name);
  }

  function schedule(): void {
    if (isStopped) return;
    timer = clock.setTimer(() => {
      void poll()
        .catch((thrown: unknown) => {
          // A folder that is away for a while takes no model along.
          const { message } = toNimifyError(thrown);
          if (message !== lastProblem)
            log.error({ reason: message, err: thrown }, 'the models cannot be looked at');
          lastProblem = message;
        })
        .finally(schedule);
    }, pollMs);
  }

  return {
    async isSettled(model) {
      const first = await lookAt(model);
      pending.set(model.name, first.text);
      if (clock.wallMs() - first.changedAtMs > YOUNG_MS) return true;
      await new Promise<void>((resolve) => clock.setTimer(resolve, SECOND_LOOK_MS));
      if ((await lookAt(model)).text === first.text) return true;
      log.warn({ model: model.name }, 'its files are being written; it is loaded once they stay as they are');
      return false;
    },
    applied(model) {
      const text = pending.get(model.name);
      if (text !== undefined) taken.set(model.name, text);
      pending.delete(model.name);
    },
    start: schedule,
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

/** A model as a whole: which versions are picked and why others cannot be served is part of how it looks. */
async function lookAt({ found, unservable }: StockedModel): Promise<{ text: string; changedAtMs: number }> {
  const looks = [];
  for (const one of found) looks.push({ version: one.version, ...(await takeFingerprint(one)) });
  const told = unservable.map(({ version = '', error }) => `${version} ${error.message}`);
  return {
    text: JSON.stringify([looks.map(({ version, text }) => [version, text]), told]),
    changedAtMs: Math.max(0, ...looks.map(({ changedAtMs }) => changedAtMs)),
  };
}
