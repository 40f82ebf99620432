import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from '../deps.ts';
import { registerBreaker } from './breaker.ts';
import { registerEvents } from './events.ts';
import { registerReload } from './reload.ts';
import { registerSlo } from './slo.ts';

/**
 * The routes of those who run the server. Like those that load models they are for whoever reaches the port, which is
 * this machine alone unless the server was told otherwise (`server.auth`).
 */
export function registerAdmin(app: FastifyInstance, deps: HttpDeps): void {
  registerEvents(app, deps);
  registerSlo(app, deps);
  registerBreaker(app, deps);
  registerReload(app, deps);
}
