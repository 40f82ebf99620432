import type { FastifyInstance } from 'fastify';
import { modelConfigJson } from '../../../base/triton/read-model-config.ts';
import { servedConfig } from '../../../registry/triton/served-config.ts';
import type { HttpDeps } from '../deps.ts';
import { MODEL_PATHS, type ModelParams } from '../model-params.ts';

/** The whole configuration of a model, what nobody configured taken from the model itself. */
export function registerConfiguration(app: FastifyInstance, { registry }: HttpDeps): void {
  for (const path of MODEL_PATHS) {
    app.get<{ Params: ModelParams }>(`${path}/config`, ({ params }) =>
      modelConfigJson(servedConfig(registry.find(params.model, params.version))),
    );
  }
}
