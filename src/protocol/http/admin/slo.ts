import type { FastifyInstance } from 'fastify';
import { toSloReport } from '../../../control/slo/slo-report.ts';
import type { HttpDeps } from '../deps.ts';

/** How the models keep to their objectives, and what is left of their error budgets. */
export function registerSlo(app: FastifyInstance, { cluster }: HttpDeps): void {
  app.get('/admin/slo', async () => ({ objectives: toSloReport(await cluster.slo()) }));
}
