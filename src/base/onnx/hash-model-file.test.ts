import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExternalFile, ModelFile } from './contract.ts';
import { hashModelFile } from './hash-model-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-hash-'));
  await mkdir(join(folder, 'parts'));
  await writeFile(join(folder, 'model.onnx'), 'model');
  await writeFile(join(folder, 'b.bin'), 'bb');
  await writeFile(join(folder, 'parts', 'a.bin'), 'aaa');
});
afterAll(() => rm(folder, { recursive: true }));

/** Only what is hashed. */
function fileWith(...externalData: readonly ExternalFile[]): ModelFile {
  return { path: join(folder, 'model.onnx'), externalData } as unknown as ModelFile;
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

describe('hashModelFile', () => {
  it('hashes the file, then path, size and bytes of each external file, in the order of the paths', async () => {
    const a = { path: join(folder, 'parts', 'a.bin'), sizeBytes: 3 };
    const b = { path: join(folder, 'b.bin'), sizeBytes: 2 };
    const expected = hashOf('model\nb.bin\n2\nbb\nparts/a.bin\n3\naaa');
    expect(await hashModelFile(fileWith(a, b))).toBe(expected);
    expect(await hashModelFile(fileWith(b, a))).toBe(expected);
    expect(await hashModelFile(fileWith(b))).toBe(hashOf('model\nb.bin\n2\nbb'));
  });

  it('tells a size that is not known from any size', async () => {
    const unknown = { path: join(folder, 'b.bin'), sizeBytes: undefined };
    expect(await hashModelFile(fileWith(unknown))).toBe(hashOf('model\nb.bin\nmissing\nbb'));
  });

  it('names a file that cannot be read, and keeps the cause', async () => {
    const path = join(folder, 'gone.bin');
    await expect(hashModelFile(fileWith({ path, sizeBytes: 1 }))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `${path} cannot be read; put it back beside the model`,
      details: { where: path },
      cause: { code: 'ENOENT' },
    });
  });
});
