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

  it('says what to do about each', async () => {
    const { problems } = await look({ '../x\n': 1, 'gone.bin': 1, 'parts/a.bin': 200 });
    expect(problems).toEqual([
      {
        severity: 'error',
        where: 'externalData',
        message: "the weights are said to be in '../x?', which is not a path inside the model's folder",
        fix: "put the file beside the model and save the model again with onnx.save(model, path, save_as_external_data=True, location='weights.bin')",
      },
      {
        severity: 'error',
        where: 'externalData',
        message: "the file 'gone.bin' with weights of the model is missing",
        fix: 'put it beside the model under that name; it was saved or published together with the model',
      },
      {
        severity: 'error',
        where: 'externalData',
        message: "the file 'parts/a.bin' has 100 bytes, but the model's weights need 200",
        fix: 'download or copy it again; if it is in Git-LFS, run `git lfs pull`',
      },
    ]);
  });

  it('lists what is missing with a size that is not known', async () => {
    expect((await look({ 'gone.bin': 1 })).files).toEqual([
      { path: join(folder, 'model', 'gone.bin'), sizeBytes: undefined },
    ]);
  });

  it('takes a colon further on for a part of the name', async () => {
    expect((await look({ 'ab:c.bin': 0 })).problems).toMatchObject([
      { message: expect.stringContaining('is missing') },
    ]);
  });

  it.each(['../outside', 'missing'])('tells of a bounded number of them: %s', async (name) => {
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`${name}${i}`, 1]));
    expect((await look(many)).problems).toHaveLength(100);
  });

  it('refuses more files than a model can need', async () => {
    const many = new Map(Array.from({ length: 100_001 }, (_, i) => [`../${i}`, 1]));
    await expect(findExternalData(model, many)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'the model has more than 100000 files of external data; it is not read',
      details: { where: 'external_data' },
    });
    many.delete('../0');
    expect((await findExternalData(model, many)).problems).toHaveLength(100);
  });
});
