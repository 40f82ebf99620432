import { NimifyError, toNimifyError } from '../../base/errors/nimify-error.ts';
import type { EventSink } from '../../base/telemetry/events.ts';
import type { Logger } from '../../base/telemetry/log.ts';
import type { Reloaded, RunningControl } from '../../registry/live/model-control.ts';
import type { ModelSource } from '../../registry/repository.ts';

export interface ReloadDeps {
  readonly log: Logger;
  readonly events: EventSink;
  /** Reads what is to hold, and throws where anything of it is wrong. Undefined: nothing can be read. */
  readonly readAgain: (() => Promise<{ readonly models: readonly ModelSource[]; apply(): void }>) | undefined;
  readonly control: Pick<RunningControl, 'reload'>;
}

/**
 * Takes up a configuration that has changed: it is read and checked whole, then models are loaded beside those that are
 * served, then all of it holds at once. Where anything is wrong, nothing changes. One after the other.
 */
export function createReload({ log, events, readAgain, control }: ReloadDeps): () => Promise<Reloaded> {
  let last: Promise<unknown> = Promise.resolve();

  async function reload(): Promise<Reloaded> {
    if (readAgain === undefined) throw notReadable();
    try {
      const next = await readAgain();
      const reloaded = await control.reload(next.models);
      next.apply();
      log.info({ ...reloaded }, 'the configuration was read again and holds from now on');
      events.report({
        type: 'config-reloaded',
        message: `${reloaded.loaded.length} models loaded, ${reloaded.removed.length} removed`,
      });
      return reloaded;
    } catch (failed) {
      const { code, message } = toNimifyError(failed);
      log.error({ err: failed }, 'the configuration was read again and is wrong; the one before holds');
      events.report({ type: 'config-refused', message: `${code}: ${message}`, done: 'keeps the one before' });
      throw failed;
    }
  }

  return () => {
    const result = last.then(reload);
    last = result.catch(() => undefined);
    return result;
  };
}

function notReadable(): NimifyError {
  return new NimifyError(
    'UNSUPPORTED',
    'the configuration of this server cannot be read again: it is one of several processes, or a program started it; restart it instead',
  );
}
