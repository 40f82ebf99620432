import { join } from 'node:path';
import type { ModelConfig } from '../../base/triton/model-config.ts';
import type { Labels } from '../labels.ts';
import { readNamedFile } from './read-named-file.ts';

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
    const bytes = await readNamedFile(join(folder, file), `output[${at}].label_filename`, MAX_LABEL_BYTES);
    labels[name] = bytes.toString('utf8').trimEnd().split(/\r?\n/);
  }
  return labels;
}
