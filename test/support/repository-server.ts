import type { Logger } from '../../src/base/telemetry/log.ts';
import { createServer, type RepositoryOptions, type RunningServer } from '../../src/server.ts';

const running: RunningServer[] = [];

/** For `afterEach`. */
export async function closeServers(): Promise<void> {
  for (const server of running.splice(0)) await server.close({ graceMs: 5000 });
}

/** A server of one repository. */
export async function serveRepository(
  path: string,
  repository: Partial<RepositoryOptions>,
  log?: Logger,
): Promise<RunningServer> {
  const ports = { httpPort: 0, metricsPort: false } as const;
  const server = await createServer({ models: [path], ...ports, repository, ...(log && { log }) });
  running.push(server);
  return server;
}

/** Asks a model that takes what `iris` takes. */
export function askIris({ url }: RunningServer, model = 'iris', rows = 1): Promise<Response> {
  const data = Array.from({ length: rows }, () => [5.1, 3.5, 1.4, 0.2]).flat();
  const inputs = [{ name: 'X', datatype: 'FP32', shape: [rows, 4], data }];
  return fetch(`${url}/v2/models/${model}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
}
