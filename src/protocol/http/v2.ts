import type { FastifyInstance, FastifyReply } from 'fastify';
import type { TensorSpec } from '../../model/signature.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { extensionsOf } from '../extensions.ts';
import { modelReadiness } from '../model-readiness.ts';
import type { HttpDeps } from './deps.ts';
import { MODEL_PATHS, type ModelParams } from './model-params.ts';

/** Names of the extensions that only HTTP has. */
const OF_HTTP = ['binary_tensor_data', 'generate'] as const;

/**
 * The Open Inference Protocol (inference_rest.md): metadata of the server and its models, and the models' health.
 * The server's health is in `probes.ts`, inference in `infer.ts`. What is not ready answers 400, as Triton does:
 * clients look at the status only.
 */
export function registerV2(app: FastifyInstance, deps: HttpDeps): void {
  // The document has it without the slash, the YAML beside it with.
  for (const path of ['/v2', '/v2/']) {
    app.get(path, () => ({
      name: 'nimify',
      version: deps.version,
      extensions: [...extensionsOf(deps.log), ...OF_HTTP].sort(),
    }));
  }
  for (const path of MODEL_PATHS) {
    app.get<{ Params: ModelParams }>(path, (request) => {
      const { model, version } = request.params;
      return metadataOf(deps.registry.find(model, version), deps);
    });
    app.get<{ Params: ModelParams }>(`${path}/ready`, (request, reply) => {
      const { model, version } = request.params;
      const state = modelReadiness(deps.registry, model, version);
      const ready = state !== 'unready';
      return statusOf(ready, reply).send({ name: model, ready, ...(state === 'degraded' ? { state } : {}) });
    });
  }
}

function statusOf(ready: boolean, reply: FastifyReply): FastifyReply {
  return reply.code(ready ? 200 : 400);
}

function metadataOf(served: ServedModel, deps: HttpDeps): object {
  const { name, platform, model, notes } = served;
  const versions = deps.registry.list().filter((other) => other.name === name);
  return {
    name,
    versions: versions.map((other) => other.version),
    platform,
    inputs: model.signature.inputs.map(tensorMetadata),
    outputs: model.signature.outputs.map(tensorMetadata),
    parameters: notes,
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSpec): object {
  return { name, datatype, shape };
}
