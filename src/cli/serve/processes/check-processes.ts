import type { Config } from '../../../base/config/load-config.ts';
import { NimifyError } from '../../../base/errors/nimify-error.ts';

/**
 * Several processes are served on Linux only: how connections are handed over, and what control groups grant, is tested
 * there.
 * @throws NimifyError CONFIG_INVALID
 */
export function checkProcesses(
  { server }: Pick<Config, 'server'>,
  platform: NodeJS.Platform = process.platform,
): void {
  if (server.processes === 1 || platform === 'linux') return;
  throw new NimifyError(
    'CONFIG_INVALID',
    `server.processes: expected 1 on this system (${platform}), since several are supported on Linux only; got ${server.processes}; leave it out, or start several servers, each on ports of its own`,
    { details: { where: 'server.processes', expected: 1, got: server.processes } },
  );
}
