import type { FastifyInstance } from 'fastify';
import { toModelStats } from '../../model-stats.ts';
import type { HttpDeps } from '../deps.ts';
import { MODEL_PATHS, type ModelParams } from '../model-params.ts';

/** What was counted of all models, of all versions of one, or of one version. */
export function registerStatistics(app: FastifyInstance, { cluster }: HttpDeps): void {
  app.get('/v2/models/stats', async () => toModelStats(await cluster.statistics()));
  for (const path of MODEL_PATHS) {
    app.get<{ Params: ModelParams }>(`${path}/stats`, async ({ params }) =>
      toModelStats(await cluster.statistics(params.model, params.version)),
    );
  }
}
