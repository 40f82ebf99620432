import { appendFile, mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashModelFile, type ModelFile } from '../base/onnx/model-file.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createHashCache, hashUnlessKnown } from './known-hash.ts';

const LARGE = 2 ** 20;

let folder: string;
let hashed = 0;
const path = () => join(folder, 'model.onnx');
const cache = () => createHashCache(join(folder, 'cache'), SILENT);
const fileOf = (sizeBytes = LARGE): ModelFile => ({ path: path(), sizeBytes, externalData: [] }) as never;
/** Long after the file was written. */
const later = () => Date.now() + 60_000;
const hash = (file: ModelFile) => {
  hashed += 1;
  return hashModelFile(file);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-known-hash-'));
});
beforeEach(async () => {
  hashed = 0;
  await rm(join(folder, 'cache'), { recursive: true, force: true });
  await writeFile(path(), 'a'.repeat(LARGE));
});
afterAll(() => rm(folder, { recursive: true }));

describe('hashUnlessKnown', () => {
  it('hashes a file once, as long as nobody touches it', async () => {
    const first = await hashUnlessKnown(fileOf(), cache(), { now: later, hash });
    expect(first).toBe(await hashModelFile(fileOf()));
    expect(await hashUnlessKnown(fileOf(), cache(), { now: later, hash })).toBe(first);
    expect(hashed).toBe(1);
  });

  it.each<[string, () => Promise<void>]>([
    ['grew', () => appendFile(path(), 'b')],
    ['was written over', () => writeFile(path(), 'b'.repeat(LARGE))],
    [
      'was replaced by one that is as large and claims to be as old',
      async () => {
        await writeFile(`${path()}.new`, 'b'.repeat(LARGE));
        await utimes(`${path()}.new`, 1, 1);
        await rename(`${path()}.new`, path());
      },
    ],
  ])('hashes again one that %s, and keeps no more for it', async (_, change) => {
    await utimes(path(), 1, 1);
    const first = await hashUnlessKnown(fileOf(), cache(), { now: later, hash });
    await change();
    const second = await hashUnlessKnown(fileOf(), cache(), { now: later, hash });
    expect(second).not.toBe(first);
    expect(second).toBe(await hashModelFile(fileOf()));
    expect(hashed).toBe(2);
    expect(await readdir(join(folder, 'cache', 'hashes'))).toHaveLength(1);
  });

  it('keeps none of a file that was written a moment ago, and none of a small one', async () => {
    await hashUnlessKnown(fileOf(), cache(), { hash });
    await hashUnlessKnown(fileOf(), cache(), { hash });
    await hashUnlessKnown(fileOf(10), cache(), { now: later, hash });
    await hashUnlessKnown(fileOf(10), cache(), { now: later, hash });
    expect(hashed).toBe(4);
  });

  it('takes nothing for a hash that is none', async () => {
    await hashUnlessKnown(fileOf(), cache(), { now: later, hash });
    const [name] = await readdir(join(folder, 'cache', 'hashes'));
    await writeFile(join(folder, 'cache', 'hashes', name!), '{"key":{},"measured":"../x"}');
    expect(await hashUnlessKnown(fileOf(), cache(), { now: later, hash })).toMatch(/^[0-9a-f]{64}$/);
    expect(hashed).toBe(2);
  });

  it('says of a file that is gone what hashing says', async () => {
    await rm(path());
    await expect(hashUnlessKnown(fileOf(), cache(), { hash })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
