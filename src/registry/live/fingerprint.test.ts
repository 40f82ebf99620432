import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeFingerprint } from './fingerprint.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-fingerprint-'));
  for (const name of ['digits.onnx', 'server.log', 'digits.labels.json', 'labels.txt', 'weights.bin']) {
    writeFileSync(join(folder, name), name);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const take = async (alone: boolean) =>
  (await takeFingerprint({ name: 'digits', version: '1', path: join(folder, 'digits.onnx'), alone })).text;

/** Whether a change of the file is seen. */
async function sees(name: string, alone: boolean): Promise<boolean> {
  const before = await take(alone);
  appendFileSync(join(folder, name), 'more');
  return (await take(alone)) !== before;
}

describe('takeFingerprint of a model file', () => {
  it.each([
    ['digits.onnx', true, true],
    ['digits.onnx', false, true],
    ['digits.labels.json', false, true],
    ['labels.txt', true, true],
    ['labels.txt', false, false],
    ['weights.bin', true, true],
    ['weights.bin', false, false],
    ['server.log', true, false],
    ['server.log', false, false],
  ])('of a changed %s, in a folder of its own (%s), is another one: %s', async (name, alone, expected) => {
    expect(await sees(name, alone)).toBe(expected);
  });

  it('is another one when a file of the model comes or goes', async () => {
    const before = await take(true);
    writeFileSync(join(folder, 'example.json'), '{}');
    expect(await take(true)).not.toBe(before);
    rmSync(join(folder, 'example.json'));
    expect(await take(true)).toBe(before);
  });
});
