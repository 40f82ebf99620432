import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeNewFile } from './write-new-file.ts';

it('writes over nothing unless told to, and says why it cannot write', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-write-'));
  try {
    const path = join(folder, 'a.yaml');
    await writeNewFile(path, 'one', { force: false });
    await expect(writeNewFile(path, 'two', { force: false })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    await writeNewFile(path, 'three', { force: true });
    expect(readFileSync(path, 'utf8')).toBe('three');
    await expect(writeNewFile(join(folder, 'no/b'), '', { force: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
