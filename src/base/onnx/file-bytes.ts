import type { FileHandle } from 'node:fs/promises';
import { invalidInput } from '../errors/nimify-error.ts';

/** A file of known size, read piece by piece at any position. */
export interface FileBytes {
  readonly sizeBytes: number;
  /**
   * Fills `target` from `position` on.
   * @throws NimifyError INVALID_INPUT where the file ends before `target` is full
   */
  read(target: Uint8Array, position: number): Promise<void>;
}

/** The caller keeps the handle and closes it. */
export function createFileBytes(handle: FileHandle, sizeBytes: number): FileBytes {
  return {
    sizeBytes,
    async read(target, position) {
      let filled = 0;
      while (filled < target.length) {
        const { bytesRead } = await handle.read(target, filled, target.length - filled, position + filled);
        if (bytesRead === 0) {
          throw invalidInput('the model file became shorter while it was being read; copy it again', {
            where: `byte ${position + filled}`,
            expected: sizeBytes,
            got: position + filled,
          });
        }
        filled += bytesRead;
      }
    },
  };
}
