import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../base/telemetry/log.ts';
import type { MeasuredPlan } from './measure-plan.ts';
import { createTuningCache, type TuningKey } from './tuning-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimify-tuning-'));
beforeEach(() => rmSync(join(folder, 'tuning'), { recursive: true, force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY: TuningKey = {
  ...{ contentHash: 'abc', options: [], cores: 4, cpu: 'a processor' },
  versions: ['nimify 1', 'engine 2'],
};
const MEASURED: readonly MeasuredPlan[] = [
  { instances: 4, intraOpThreads: 1, latencyNs: 2e6, throughputPerS: 1900 },
  { instances: 1, intraOpThreads: 4, latencyNs: 7e5, throughputPerS: 1200 },
];

const cache = createTuningCache(folder, SILENT);
const onlyFile = () => join(folder, 'tuning', readdirSync(join(folder, 'tuning'))[0]!);

describe('the cache of measurements', () => {
  it('gives what was written, to the same key only', async () => {
    expect(await cache.read(KEY)).toBeUndefined();
    await cache.write(KEY, MEASURED);
    expect(await cache.read(KEY)).toEqual(MEASURED);
    for (const other of [
      { ...KEY, contentHash: 'abd' },
      { ...KEY, cores: 8 },
      { ...KEY, cpu: 'another' },
      { ...KEY, options: ['cuda'] },
      { ...KEY, versions: ['nimify 2', 'engine 2'] },
    ]) {
      expect(await cache.read(other)).toBeUndefined();
    }
  });

  it("leaves one file, which is the user's own", async () => {
    await cache.write(KEY, MEASURED);
    await cache.write(KEY, MEASURED.slice(1));
    expect(readdirSync(join(folder, 'tuning'))).toHaveLength(1);
    if (process.platform !== 'win32') expect(statSync(onlyFile()).mode & 0o077).toBe(0);
    expect(await cache.read(KEY)).toEqual(MEASURED.slice(1));
  });

  it.each<[string, (text: string) => string]>([
    ['is cut off', (text) => text.slice(0, -20)],
    ['is empty', () => ''],
    ['is of another key', (text) => text.replace('abc', 'xyz')],
    ['is no object', () => 'null'],
    ['has no list', () => JSON.stringify({ key: KEY, measured: {} })],
    ['has threads beyond the cores', (text) => text.replace('"instances":4', '"instances":5')],
    ['has part of an instance', (text) => text.replace('"instances":4', '"instances":0.5')],
    ['has a time of nothing', (text) => text.replace('2000000', '0')],
    ['has text for a number', (text) => text.replace('1900', '"1900"')],
    ['is too large', (text) => text + ' '.repeat(70_000)],
  ])('passes over a file that %s, and writes it anew', async (_what, damage) => {
    await cache.write(KEY, MEASURED);
    writeFileSync(onlyFile(), damage(readFileSync(onlyFile(), 'utf8')));
    expect(await cache.read(KEY)).toBeUndefined();
    await cache.write(KEY, MEASURED);
    expect(await cache.read(KEY)).toEqual(MEASURED);
  });

  it('never throws at whatever stands in the file', async () => {
    await cache.write(KEY, MEASURED);
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (measured) => {
        writeFileSync(onlyFile(), JSON.stringify({ key: KEY, measured }) ?? '');
        expect((await cache.read(KEY)) ?? []).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('goes without where nothing can be written', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const nowhere = createTuningCache(file, SILENT);
    await nowhere.write(KEY, MEASURED);
    expect(await nowhere.read(KEY)).toBeUndefined();
  });
});
