import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import type { ModelSource } from '../../registry/repository.ts';
import { createReload } from './reload.ts';

function setUp(models: readonly ModelSource[] | NimifyError) {
  const seen: unknown[] = [];
  const reload = createReload({
    log: SILENT,
    events: { report: ({ type }) => void seen.push(type) },
    async readAgain() {
      if (models instanceof Error) throw models;
      return { models, apply: () => void seen.push('applied') };
    },
    control: {
      async reload(sources) {
        seen.push(sources);
        await Promise.resolve();
        if (sources.includes('broken')) throw new NimifyError('INVALID_INPUT', 'no model');
        return { loaded: ['a'], removed: [] };
      },
    },
  });
  return { seen, reload };
}

describe('createReload', () => {
  it('serves what was read, and then lets the rest hold', async () => {
    const { seen, reload } = setUp(['a']);
    expect(await reload()).toEqual({ loaded: ['a'], removed: [] });
    expect(seen).toEqual([['a'], 'applied', 'config-reloaded']);
  });

  it('changes nothing where it cannot be read, or not be served', async () => {
    const unreadable = setUp(new NimifyError('CONFIG_INVALID', 'wrong'));
    await expect(unreadable.reload()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(unreadable.seen).toEqual(['config-refused']);
    const broken = setUp(['broken']);
    await expect(broken.reload()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(broken.seen).toEqual([['broken'], 'config-refused']);
  });

  it('does one after the other, whatever became of the one before', async () => {
    const { seen, reload } = setUp(['a']);
    await Promise.all([reload(), reload()]);
    expect(seen).toEqual([
      ...[['a'], 'applied', 'config-reloaded'],
      ...[['a'], 'applied', 'config-reloaded'],
    ]);
  });

  it('refuses where there is nothing to read', async () => {
    const control = { reload: () => Promise.reject(new Error('not to be called')) };
    const reload = createReload({ log: SILENT, events: { report() {} }, readAgain: undefined, control });
    await expect(reload()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});
