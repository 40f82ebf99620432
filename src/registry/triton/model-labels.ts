import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidInput } from '../../base/errors/nimify-error.ts';
import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { Labels } from '../labels.ts';

const MAX_LABEL_BYTES = 16 * 2 ** 20;

/**
 * Class names by output, from the files that a configuration names: a name a line.
 * @param folder of the model, where the files lie
 * @throws NimifyError INVALID_INPUT where one of them is not there
 */
export async function readConfiguredLabels(folder: string, config: ModelConfig): Promise<Labels> {
  const labels: Record<string, readonly string[]> = {};
  for (const [at, { name = '', label_filename: file }] of (config.output ?? []).entries()) {
    if (!file) continue;
    const path = join(folder, file);
    const field = `output[${at}].label_filename`;
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile() !== true) {
      throw invalidInput(`${field}: there is no file ${path}; add it, or leave the field out`, {
        where: field,
      });
    }
    if (info.size > MAX_LABEL_BYTES) {
      throw invalidInput(`${field}: ${path} has ${info.size} bytes; expected at most ${MAX_LABEL_BYTES}`, {
        where: field,
      });
    }
    labels[name] = (await readFile(path, 'utf8')).trimEnd().split(/\r?\n/);
  }
  return labels;
}
