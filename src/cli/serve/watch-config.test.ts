import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../base/config/load-config.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { watchConfig } from './watch-config.ts';

function load(env: Readonly<Record<string, string>> = {}): Promise<Config> {
  return loadConfig({ folder: import.meta.dirname, env, flags: new Map(), paths: [{ path: 'a.onnx' }] });
}

describe('watchConfig', () => {
  it('takes other settings of models, and another level of the log, and tells of the new one', async () => {
    const log = { ...SILENT, level: 'info' as const };
    const held: Config[] = [];
    const next = await load({ NIMIFY_TIMEOUT_MS: '7', NIMIFY_LOG_LEVEL: 'warn' });
    const watch = watchConfig(await load(), {
      log,
      read: async () => next,
      onChanged: (config) => void held.push(config),
    });
    const { config, apply } = await watch.read();
    expect([config, log.level, held]).toEqual([next, 'info', []]);
    apply();
    expect([log.level, held]).toEqual(['warn', [next]]);
  });

  it('refuses what wants another start, by the configuration that holds, and names all of it', async () => {
    let next = await load({ NIMIFY_LOG_LEVEL: 'warn' });
    const watch = watchConfig(await load(), { log: { ...SILENT }, read: async () => next, onChanged() {} });
    (await watch.read()).apply();
    next = await load({ NIMIFY_HTTP_PORT: '1', NIMIFY_MODEL_CONTROL_MODE: 'poll' });
    await expect(watch.read()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/^server\.httpPort, repository\.mode: cannot be changed/),
    });
  });
});
