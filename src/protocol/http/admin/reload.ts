import type { FastifyInstance } from 'fastify';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import type { HttpDeps } from '../deps.ts';

/** Takes up a configuration that has changed, as SIGHUP does; answers with the names of the models that did. */
export function registerReload(app: FastifyInstance, { reload }: HttpDeps): void {
  app.post('/admin/reload', async () => {
    try {
      return await reload?.();
    } catch (refused) {
      // That code is for those who start a server; to whoever asks, the file stands against what is asked.
      if (!(refused instanceof NimifyError) || refused.code !== 'CONFIG_INVALID') throw refused;
      const { message, details } = refused;
      throw new NimifyError('CONFLICT', message, details === undefined ? {} : { details });
    }
  });
}
