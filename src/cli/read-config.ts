import type { Layer } from '../base/config/layer.ts';
import { type Config, loadConfig } from '../base/config/load-config.ts';
import { toModelPath } from './serve/model-argument.ts';

/**
 * The configuration that holds for a command line in this folder.
 * @throws NimifyError CONFIG_INVALID
 */
export function readConfig(args: readonly string[], flags: Layer): Promise<Config> {
  return loadConfig({ folder: process.cwd(), env: process.env, flags, paths: args.map(toModelPath) });
}
