import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findExternalData } from './external-data.ts';

let folder: string;
let model: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-external-'));
  model = join(folder, 'model', 'model.onnx');
  await mkdir(join(folder, 'model', 'parts'), { recursive: true });
  await writeFile(join(folder, 'model', 'parts', 'a.bin'), Buffer.alloc(100));
  await writeFile(join(folder, 'secret.bin'), Buffer.alloc(100));
  await symlink(join(folder, 'secret.bin'), join(folder, 'model', 'linked.bin'));
});
afterAll(() => rm(folder, { recursive: true }));

const look = (entries: Record<string, number>) => findExternalData(model, new Map(Object.entries(entries)));

describe('findExternalData', () => {
  it('finds files in the folder, once however they are written, and through links', async () => {
    const { files, problems } = await look({ 'parts/a.bin': 100, './parts/a.bin': 10, 'linked.bin': 100 });
    expect(files).toEqual([
      { path: join(folder, 'model', 'parts', 'a.bin'), sizeBytes: 100 },
      { path: join(folder, 'model', 'linked.bin'), sizeBytes: 100 },
    ]);
    expect(problems).toEqual([]);
  });

  it.each([
    '../secret.bin',
    'parts/../../secret.bin',
    '/etc/passwd',
    '',
    '.',
    'a\0b',
    'C:\\weights',
    '\\\\host\\x',
  ])('refuses the location %j', async (location) => {
    const { files, problems } = await look({ [location]: 1 });
    expect(files).toEqual([]);
    expect(problems).toEqual([
      expect.objectContaining({
        severity: 'error',
        message: expect.stringContaining("not a path inside the model's"),
      }),
    ]);
  });

  it.each([
    ['gone.bin', 1, 'is missing'],
    ['parts', 1, 'is missing'],
    ['parts/a.bin', 101, "has 100 bytes, but the model's weights need 101"],
  ])('says what is wrong with %s', async (location, needed, message) => {
    const { problems } = await look({ [location]: needed });
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringContaining(message) }),
    ]);
  });
});
