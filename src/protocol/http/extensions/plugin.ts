import type { FastifyInstance } from 'fastify';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { NO_SHARED_MEMORY, NO_TRACES } from '../../extensions.ts';
import type { HttpDeps } from '../deps.ts';
import { registerConfiguration } from './configuration.ts';
import { registerGenerate } from './generate.ts';
import { registerLogging } from './logging.ts';
import { registerRepository } from './repository.ts';
import { registerStatistics } from './statistics.ts';

/** Routes of extensions that are refused whatever is asked: a client should hear why, not that there is no route. */
const REFUSED = [
  ['/v2/systemsharedmemory/*', NO_SHARED_MEMORY],
  ['/v2/cudasharedmemory/*', NO_SHARED_MEMORY],
  ['/v2/trace/setting', NO_TRACES],
  ['/v2/models/:model/trace/setting', NO_TRACES],
] as const;

/** Triton's extensions of the Open Inference Protocol (server repository, docs/protocol/extension_*.md). */
export function registerExtensions(app: FastifyInstance, deps: HttpDeps): void {
  registerConfiguration(app, deps);
  registerStatistics(app, deps);
  registerRepository(app, deps);
  registerLogging(app, deps);
  registerGenerate(app, deps);
  for (const [url, reason] of REFUSED) {
    app.route({
      method: ['GET', 'POST'],
      url,
      handler() {
        throw new NimifyError('UNSUPPORTED', reason);
      },
    });
  }
}
