import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { NimifyError } from '../errors/nimify-error.ts';
import type { ModelFile } from './contract.ts';

const CHUNK_BYTES = 1024 * 1024;

/**
 * SHA-256 of a model, hex. Without external data it is the file's own; each file of external data then adds
 * its path in the model's folder, its size and its bytes, in the order of the paths.
 * @throws NimifyError NOT_FOUND where a file is missing or cannot be read
 */
export async function hashModelFile(file: ModelFile): Promise<string> {
  const hash = createHash('sha256');
  await addFile(hash, file.path);
  const folder = dirname(file.path);
  const parts = file.externalData.map(({ path, sizeBytes }) => {
    return { path, name: relative(folder, path).split(sep).join('/'), sizeBytes };
  });
  parts.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { path, name, sizeBytes } of parts) {
    hash.update(`\n${name}\n${sizeBytes ?? 'missing'}\n`);
    await addFile(hash, path);
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string): Promise<void> {
  try {
    const file = await open(path);
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES);
        if (bytesRead === 0) break;
        hash.update(chunk.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new NimifyError('NOT_FOUND', `${path} cannot be read; put it back beside the model`, {
      cause,
      details: { where: path },
    });
  }
}
