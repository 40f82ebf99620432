import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import type { TuningKey } from '../../engine/host/tuning-cache.ts';
import { createChoiceCache, type KeptChoice } from './kept-choice.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimify-choice-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY: TuningKey = { contentHash: 'abc', options: ['search'], cores: 4, cpu: 'c', versions: ['1'] };
const RULE: KeptChoice = {
  setting: { plan: { host: 'thread', instances: 4, intraOpThreads: 1 }, batching: 'auto' },
  gives: { throughputPerS: 100, latencyMs: 2 },
};
const OTHER: KeptChoice = {
  setting: {
    plan: { host: 'thread', instances: 2, intraOpThreads: 2 },
    batching: { maxBatchSize: 8, maxDelayMs: 0 },
  },
  gives: { throughputPerS: 200.5, latencyMs: 1.25 },
  instead: RULE,
};

const cache = createChoiceCache(folder, SILENT);

describe('the cache of choices', () => {
  it.each([['by rule', RULE] as const, ['of another way', OTHER] as const])(
    'keeps one %s',
    async (_what, choice) => {
      await cache.write(KEY, choice);
      expect(await cache.read(KEY)).toEqual(choice);
      expect(await cache.read({ ...KEY, options: ['search', 'latency'] })).toBeUndefined();
    },
  );

  it.each<[string, (text: string) => string]>([
    ['is cut off', (text) => text.slice(0, -20)],
    ['is of an unknown host', (text) => text.replace('"thread"', '"moon"')],
    ['has threads beyond the cores', (text) => text.replace('"instances":2', '"instances":3')],
    ['has a batch of nothing', (text) => text.replace('"maxBatchSize":8', '"maxBatchSize":0')],
    ['has half of a batching', (text) => text.replace('"maxBatchSize":8,', '')],
    ['has a word that is none', (text) => text.replace('"auto"', '"always"')],
    ['has text for a number', (text) => text.replace('200.5', '"200.5"')],
    ['lacks what it gives', (text) => text.replace('"gives"', '"gave"')],
    ['has nothing to compare with', (text) => text.replace(/"instead":\{.*\}\}/, '"instead":7}')],
  ])('takes a file that %s for none', async (_what, spoil) => {
    await cache.write(KEY, OTHER);
    const [name] = readdirSync(join(folder, 'tuning'));
    const file = join(folder, 'tuning', name!);
    const text = readFileSync(file, 'utf8');
    expect(spoil(text)).not.toBe(text);
    writeFileSync(file, spoil(text));
    expect(await cache.read(KEY)).toBeUndefined();
  });
});
