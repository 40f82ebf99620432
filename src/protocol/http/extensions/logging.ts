import type { FastifyInstance } from 'fastify';
import { invalidInput } from '../../../base/errors/nimify-error.ts';
import { readLogSettings } from '../../log-settings.ts';
import type { HttpDeps } from '../deps.ts';
import { type ParameterValues, readSettings } from './control-body.ts';

/** What the log tells, to be read and changed while the server runs. */
export function registerLogging(app: FastifyInstance, deps: HttpDeps): void {
  app.get('/v2/logging', () => readLogSettings(deps.log));
  app.post('/v2/logging', async (request) =>
    deps.cluster.changeLogSettings(toChanges(await readSettings(request.raw, deps))),
  );
}

/** JSON has one kind of number; a level is a whole one. */
function toChanges(settings: ParameterValues): Record<string, string | number | boolean> {
  for (const [name, value] of settings) {
    if (typeof value !== 'number' || (Number.isInteger(value) && value >= 0)) continue;
    const where = `settings.${name.slice(0, 64)}`;
    throw invalidInput(`${where}: expected a whole number of at least 0, got ${value}`, {
      where,
      got: value,
    });
  }
  return Object.fromEntries(settings);
}
