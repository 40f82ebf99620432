import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../base/telemetry/log.ts';
import type { Artifact } from '../model/artifact.ts';
import type { Engine, EngineOptions } from '../model/engine.ts';
import { createLoadCache, type KnownLoad, loadKey, toKeep } from './known-load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-loads-'));
});
afterEach(() => rm(folder, { recursive: true }));

const artifact = { contentHash: 'hash' } as Artifact;
const engine = { name: 'e', version: () => 'e 1' } as Engine;
const options: EngineOptions = { host: 'auto', batchAxis: 'auto', tune: 'auto' };
const batch = { axis: 0, reason: 'proven' } as const;
const load: KnownLoad = {
  batch,
  usualRun: { ns: 10, sizeBytes: 4, memoryBytes: 0 },
  costs: [
    { rows: 1, ns: 10 },
    { rows: 1, ns: 11 },
  ],
};

describe('createLoadCache', () => {
  it('gives back what was written, for the same model, options and engine', async () => {
    const key = loadKey(artifact, engine, options, false)!;
    await createLoadCache(folder, SILENT).write(key, load);
    expect(await createLoadCache(folder, SILENT).read(key)).toEqual(load);
    const others = [
      loadKey({ ...artifact, contentHash: 'other' }, engine, options, false)!,
      loadKey(artifact, { ...engine, version: () => 'e 2' }, options, false)!,
      loadKey(artifact, engine, { ...options, host: 'native' }, false)!,
      loadKey(artifact, engine, options, true)!,
      loadKey(
        artifact,
        engine,
        {
          ...options,
          exampleInputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(1) }],
        },
        false,
      )!,
    ];
    for (const other of others) expect(await createLoadCache(folder, SILENT).read(other)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['no object', 3],
    ['no decision', { costs: [] }],
    ['another axis', { ...load, batch: { axis: 1, reason: '' } }],
    ['rows that are none', { ...load, batch: { ...batch, paddedRows: -1 } }],
    ['a cost of nothing', { ...load, costs: [{ rows: 1, ns: 0 }] }],
    ['no list of costs', { ...load, costs: {} }],
    ['a run of no time', { ...load, usualRun: { ...load.usualRun, ns: null } }],
  ])('takes %s for nothing', async (_, kept) => {
    const cache = createLoadCache(folder, SILENT);
    const key = loadKey(artifact, engine, options, false)!;
    await cache.write(key, load);
    const [name] = await readdir(join(folder, 'loads'));
    const path = join(folder, 'loads', name!);
    const written = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...written, measured: kept }));
    expect(await cache.read(key)).toBeUndefined();
  });
});

describe('loadKey', () => {
  it('is none where nothing is to be measured, or the engine may change unseen', () => {
    expect(loadKey(artifact, engine, { ...options, tune: 'off' }, false)).toBeUndefined();
    expect(loadKey(artifact, { name: 'e' } as Engine, options, false)).toBeUndefined();
  });
});

describe('toKeep', () => {
  it('leaves out costs of which no two runs say the same, and all of more rows', () => {
    const costs = [
      { rows: 1, ns: 10 },
      { rows: 1, ns: 15 },
      { rows: 1, ns: 400 },
      { rows: 2, ns: 20 },
      { rows: 2, ns: 90 },
      { rows: 4, ns: 40 },
      { rows: 4, ns: 41 },
    ];
    expect(toKeep({ batch, costs }).costs).toEqual(costs.slice(0, 2));
    expect(toKeep({ batch, costs: costs.slice(3, 5) })).toEqual({ batch });
    expect(toKeep({ batch, costs: [] })).toEqual({ batch, costs: [] });
  });
});
