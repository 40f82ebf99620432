import { readFile, writeFile } from 'node:fs/promises';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { GENERATED_BY } from './insert-models.ts';

/**
 * Writes a generated file, over an older one of its kind, and over nothing else.
 * @throws NimifyError CONFLICT, NOT_FOUND
 */
export async function writeGenerated(path: string, text: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined);
  const [firstLine = ''] = before?.split('\n', 1) ?? [];
  if (before !== undefined && before !== '' && !firstLine.includes(GENERATED_BY)) {
    throw new NimifyError('CONFLICT', `${path} holds something else; remove it, or name another file`, {
      details: { where: path },
    });
  }
  try {
    await writeFile(path, text);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    throw new NimifyError('NOT_FOUND', `${path} cannot be written (${String(code)}); check the path`, {
      details: { where: path },
      cause,
    });
  }
}
