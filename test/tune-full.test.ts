import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Logger, SILENT } from '../src/base/telemetry/log.ts';
import { systemClock } from '../src/base/util/clock.ts';
import { createChoiceCache } from '../src/control/tuning/kept-choice.ts';
import { createLoadTuner } from '../src/control/tuning/tune-at-load.ts';
import { takeInventory } from '../src/registry/inventory.ts';
import { createServer } from '../src/server.ts';

const IRIS = fileURLToPath(new URL('../examples/demo/iris/model.onnx', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'nimify-tune-full-'));
const { XDG_CACHE_HOME: before } = process.env;
beforeAll(() => {
  process.env.XDG_CACHE_HOME = folder;
});
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  rmSync(folder, { recursive: true });
});

describe('a server with `tune: full`', () => {
  it('loads a model by what an earlier start found', async () => {
    const kept = createChoiceCache(join(folder, 'nimify'), SILENT);
    const choice = {
      setting: {
        plan: { host: 'thread', instances: 1, intraOpThreads: 1 },
        batching: { maxBatchSize: 3, maxDelayMs: 0 },
      },
      gives: { throughputPerS: 120, latencyMs: 2 },
    } as const;
    const { models } = await takeInventory([IRIS]);
    const tune = createLoadTuner({
      ...{ clock: systemClock, log: SILENT },
      choices: { read: (key) => kept.write(key, choice).then(() => choice), async write() {} },
    });
    const engine = { host: 'thread', batchAxis: 'auto' } as const;
    await tune({ found: models[0]!.found[0]!, engine, target: 'balanced' });

    const logged: string[] = [];
    const log: Logger = { ...SILENT, info: (_fields, message) => void logged.push(message) };
    const server = await createServer({
      models: [{ path: IRIS, tune: 'full', engine: { host: 'thread' } }],
      ...{ httpPort: 0, metricsPort: false, log },
    });
    const notes = server.registry.list()[0]?.notes;
    await server.close({ graceMs: 0 });
    expect(notes?.host).toBe('thread: configured; 1 x 1 threads');
    expect(logged).toContainEqual(
      expect.stringMatching(/^searched at an earlier start: thread, 1 x 1; batching 3 rows, no wait /),
    );
  });
});
