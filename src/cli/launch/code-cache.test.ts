import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCodeCache } from './code-cache.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-code-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const code = Buffer.from('compiled');
const cache = () => createCodeCache(join(folder, 'code'));
const path = (key = 'key') => join(folder, 'code', `${key}.code`);

describe('createCodeCache', () => {
  it('gives back what was written, in a folder that nobody else may enter', () => {
    expect(cache().read('key')).toBeUndefined();
    cache().write('key', code);
    expect(cache().read('key')).toEqual(code);
    expect(cache().read('other')).toBeUndefined();
    if (process.platform !== 'win32') expect(statSync(join(folder, 'code')).mode & 0o777).toBe(0o700);
  });

  it('takes none that was changed or cut off', () => {
    cache().write('key', code);
    const whole = readFileSync(path());
    for (const broken of [whole.subarray(0, -1), whole.subarray(0, 10), Buffer.alloc(0)]) {
      writeFileSync(path(), broken);
      expect(cache().read('key')).toBeUndefined();
    }
    whole[whole.length - 1]! ^= 1;
    writeFileSync(path(), whole);
    expect(cache().read('key')).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('takes none that others may write, and follows no link', () => {
    cache().write('key', code);
    symlinkSync(path(), path('link'));
    expect(cache().read('link')).toBeUndefined();
    chmodSync(path(), 0o620);
    expect(cache().read('key')).toBeUndefined();
  });

  it('keeps the newest few', () => {
    for (let index = 0; index < 30; index++) cache().write(`key${index}`, code);
    expect(readdirSync(join(folder, 'code')).length).toBeLessThanOrEqual(12);
    expect(cache().read('key29')).toEqual(code);
  });

  it('does without where it cannot write', () => {
    writeFileSync(join(folder, 'code'), 'a file');
    expect(() => cache().write('key', code)).not.toThrow();
    expect(cache().read('key')).toBeUndefined();
  });
});
