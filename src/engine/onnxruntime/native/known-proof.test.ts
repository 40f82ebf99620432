import { copyFileSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createProofCache,
  type ProofDeps,
  type ProofKey,
  proofKey,
  prove,
  proveUnlessKnown,
} from './known-proof.ts';

let folder: string;
let nowMs: number;
let tests: number;
let key: ProofKey;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-proof-'));
  nowMs = 1e12;
  tests = 0;
  writeFileSync(join(folder, 'library'), 'library');
  key = (await proofKey(join(folder, 'library')))!;
});
afterEach(() => rmSync(folder, { recursive: true }));

const deps = (of: ProofKey = key): ProofDeps => ({
  ...{ cache: createProofCache(folder), key: of, nowMs: () => nowMs },
});
const passes = async () => void tests++;
const fails = async () => {
  tests += 1;
  throw new Error('wrong answer');
};

/** What a process leaves that is taken down by the test. */
async function crash(proveWith = proveUnlessKnown): Promise<void> {
  const { cache, ...rest } = deps();
  let isDown = false;
  const frozen = {
    ...cache,
    write: async (...of: Parameters<typeof cache.write>) => isDown || cache.write(...of),
  };
  await proveWith(
    async () => {
      tests += 1;
      isDown = true;
    },
    { ...rest, cache: frozen as typeof cache },
  );
}

describe('proveUnlessKnown', () => {
  it('makes the test once', async () => {
    for (let start = 0; start < 3; start++) await proveUnlessKnown(passes, deps());
    expect(tests).toBe(1);
    expect(readdirSync(join(folder, 'native'))).toHaveLength(1);
  });

  it('makes it again where the library has changed, is of the same times and size as another, or is not there', async () => {
    await proveUnlessKnown(passes, deps());
    const path = join(folder, 'library');
    copyFileSync(path, join(folder, 'new'));
    rmSync(path);
    copyFileSync(join(folder, 'new'), path);
    utimesSync(path, 1, 1);
    await proveUnlessKnown(passes, deps(await proofKey(path)));
    expect(tests).toBe(2);
    await proveUnlessKnown(passes, deps({ ...key, versions: ['nimify 0'] }));
    expect(tests).toBe(3);
    const unknown = { ...deps(), key: await proofKey(join(folder, 'none')) };
    for (let start = 0; start < 2; start++) await proveUnlessKnown(passes, unknown);
    expect(tests).toBe(5);
  });

  it('makes one again that failed', async () => {
    for (let start = 0; start < 4; start++) {
      await expect(proveUnlessKnown(fails, deps())).rejects.toThrow('wrong answer');
      nowMs += 10_000;
    }
    expect(tests).toBe(4);
    await proveUnlessKnown(passes, deps());
    await proveUnlessKnown(fails, deps());
    expect(tests).toBe(5);
  });

  it('gives up one that has taken two processes down, until it is asked for', async () => {
    for (let start = 0; start < 2; start++) {
      await crash();
      nowMs += 10_000;
    }
    for (let start = 0; start < 2; start++) {
      await expect(proveUnlessKnown(passes, deps())).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('nimify doctor'),
      });
    }
    expect(tests).toBe(2);
    await prove(passes, deps());
    await proveUnlessKnown(passes, deps());
    expect(tests).toBe(3);
  });

  it('is not kept from it by others that begin at the same time', async () => {
    await Promise.all(Array.from({ length: 8 }, () => crash()));
    nowMs += 100;
    await proveUnlessKnown(passes, deps());
    expect(tests).toBe(9);
    await proveUnlessKnown(passes, deps());
    expect(tests).toBe(9);
  });

  it('ends a row of crashes, however soon one follows the other', async () => {
    for (let start = 0; start < 100; start++) {
      await crash().catch(() => {});
      nowMs += 100;
    }
    expect(tests).toBeLessThan(50);
  });

  it.each(['null', '{"begun":"1"}', '"failed"'])('takes %s for nothing', async (measured) => {
    await proveUnlessKnown(passes, deps());
    const file = join(folder, 'native', readdirSync(join(folder, 'native'))[0]!);
    writeFileSync(file, `{"key":${JSON.stringify(key)},"measured":${measured}}`);
    await proveUnlessKnown(passes, deps());
    expect(tests).toBe(2);
  });
});
