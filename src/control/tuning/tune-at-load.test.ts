import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type Logger, SILENT } from '../../base/telemetry/log.ts';
import { systemClock } from '../../base/util/clock.ts';
import type { TuningKey } from '../../engine/host/tuning-cache.ts';
import type { EngineOptions } from '../../model/engine.ts';
import { takeInventory } from '../../registry/inventory.ts';
import { createChoiceCache, type KeptChoice } from './kept-choice.ts';
import { createLoadTuner, type LoadToTune } from './tune-at-load.ts';

const IRIS = fileURLToPath(new URL('../../../examples/demo/iris/model.onnx', import.meta.url));
const DIGITS = fileURLToPath(new URL('../../../examples/demo/digits/model.onnx', import.meta.url));
const TRUNCATED = fileURLToPath(new URL('../../../test/fixtures/truncated.onnx', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'nimify-at-load-'));
const choices = createChoiceCache(folder, SILENT);
afterAll(() => rmSync(folder, { recursive: true }));

let logged: string[] = [];
const log: Logger = {
  ...SILENT,
  info: (_fields, message) => void logged.push(message),
  warn: (_fields, message) => void logged.push(message),
};
beforeEach(() => {
  logged = [];
  rmSync(join(folder, 'tuning'), { recursive: true, force: true });
});

const KEPT: KeptChoice = {
  setting: {
    plan: { host: 'thread', instances: 1, intraOpThreads: 1 },
    batching: { maxBatchSize: 3, maxDelayMs: 0 },
  },
  gives: { throughputPerS: 120, latencyMs: 2 },
  instead: {
    setting: { plan: { host: 'thread', instances: 1, intraOpThreads: 1 }, batching: 'auto' },
    gives: { throughputPerS: 100, latencyMs: 1 },
  },
};

/** One that finds `KEPT`, whatever it is asked for. */
function tunerOf(onRead: (key: TuningKey) => Promise<void>) {
  const read = (key: TuningKey) => onRead(key).then(() => KEPT);
  return createLoadTuner({ clock: systemClock, log, choices: { read, async write() {} } });
}

/** Little time: what matters here is what becomes of the choice. */
const tuner = () => createLoadTuner({ clock: systemClock, log, choices, budgetNs: 300e6 });
const ENGINE: EngineOptions = { host: 'thread', batchAxis: 'auto', instances: 1, intraOpThreads: 1 };

async function loadOf(path: string, engine: EngineOptions = ENGINE): Promise<LoadToTune> {
  const { models } = await takeInventory([path]);
  return { found: models[0]!.found[0]!, engine, target: 'throughput' };
}

describe('createLoadTuner', () => {
  it('searches sizes and windows within what was chosen, says what it gains, and keeps it', async () => {
    const load = await loadOf(IRIS);
    const tuned = await tuner()(load);
    if (tuned === undefined) {
      // Other work may be in the way of any measurement.
      expect(logged.at(-1)).toMatch(/were not searched: the machine was busy with other work$/);
      return;
    }
    expect(tuned.engine).toEqual({ host: 'thread', instances: 1, intraOpThreads: 1 });
    expect(logged.at(-1)).toMatch(
      /^searched: thread, 1 x 1; batching .* gives .* answers\/s and .* ms alone(; nothing is better|, \d+ % (more|fewer) answers than by rule, where thread, 1 x 1; batching auto gives )/,
    );
    expect(await tuner()(load)).toEqual(tuned);
    expect(logged.at(-1)).toMatch(/^searched at an earlier start: /);
  }, 60_000);

  it('goes by what was kept for the same model, machine, target and settings alone', async () => {
    const load = await loadOf(IRIS);
    const loads: readonly LoadToTune[] = [
      load,
      { ...load, target: 'latency' },
      { ...load, objective: { percentile: 99, latencyMs: 500 } },
      { ...load, engine: { ...ENGINE, batchAxis: 'none' } },
      {
        ...load,
        found: {
          ...load.found,
          config: { config: { max_batch_size: 4 }, places: new Map(), source: '', text: 'max_batch_size: 4' },
        },
      },
      await loadOf(DIGITS),
    ];
    const keys = new Set<string>();
    const tune = tunerOf(async (key) => void keys.add(JSON.stringify(key)));
    for (const one of loads) {
      expect(await tune(one)).toEqual({ engine: KEPT.setting.plan, batching: KEPT.setting.batching });
    }
    expect(keys.size).toBe(loads.length);
    await tune({ ...load, engine: { instances: 1, intraOpThreads: 1, batchAxis: 'auto', host: 'thread' } });
    expect(keys.size).toBe(loads.length);
    expect(logged.at(-1)).toBe(
      'searched at an earlier start: thread, 1 x 1; batching 3 rows, no wait gives 120 answers/s and 2.00 ms alone, ' +
        '20 % more answers than by rule, where thread, 1 x 1; batching auto gives 100 answers/s and 1.00 ms alone',
    );
  });

  it('leaves alone what a config.pbtxt says of waiting, and does not fail where the model does', async () => {
    const model = join(folder, 'repository', 'iris');
    mkdirSync(join(model, '1'), { recursive: true });
    copyFileSync(IRIS, join(model, '1', 'model.onnx'));
    writeFileSync(
      join(model, 'config.pbtxt'),
      'max_batch_size: 8 dynamic_batching { max_queue_delay_microseconds: 100 }',
    );
    expect(await tuner()(await loadOf(join(folder, 'repository')))).toBeUndefined();
    expect(logged).toEqual([
      'sizes of batches and windows were not searched: its config.pbtxt says how long requests wait',
    ]);
    expect(await tuner()(await loadOf(TRUNCATED))).toBeUndefined();
    expect(logged.at(-1)).toMatch(/^the search for the best way to serve the model failed/);
  });

  it('searches for one model at a time', async () => {
    let running = 0;
    let most = 0;
    const tune = tunerOf(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    await Promise.all([tune(await loadOf(IRIS)), tune(await loadOf(DIGITS)), tune(await loadOf(IRIS))]);
    expect(most).toBe(1);
  });
});
