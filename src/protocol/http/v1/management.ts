import type { FastifyInstance } from 'fastify';
import { METRICS_CONTENT_TYPE } from '../../../base/telemetry/exposition.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import type { HttpDeps } from '../deps.ts';
import { readLicense } from './license.ts';
import { manifestText } from './manifest.ts';

/**
 * The management routes of NVIDIA NIM, in its response shapes (API reference pages of the NIMs: "Metadata",
 * "Manifest", "License", "Version"); those of its health are in `probes.ts`.
 */
export function registerManagement(app: FastifyInstance, deps: HttpDeps): void {
  const { registry, version } = deps;

  app.get('/v1/version', () => ({ release: version, api: version }));

  app.get('/v1/license', async () => ({
    ...(await readLicense()),
    models: registry.list().flatMap(modelLicense),
  }));

  app.get('/v1/metadata', async () => ({
    version,
    modelInfo: registry.list().map(modelInfo),
    licenseInfo: await readLicense(),
    assetInfo: [],
    repository_override: '',
  }));

  app.get('/v1/manifest', () => ({
    manifest_file: manifestText(version, registry.list()),
    repository_override: '',
  }));

  app.get('/v1/metrics', async (_request, reply) =>
    reply.header('content-type', METRICS_CONTENT_TYPE).send(await deps.cluster.renderMetrics()),
  );
}

/** `modelUrl` is the model's place on this server: the file's place on disk is nobody's business. */
function modelInfo({ name, version }: ServedModel) {
  return {
    shortName: `${name}:${version}`,
    modelUrl: `/v2/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(version)}`,
  };
}

/** What the model's own metadata says about its licence, where it says anything. */
function modelLicense({ name, version, artifact }: ServedModel) {
  const { license, licence } = artifact.metadata;
  const told = license ?? licence;
  return told === undefined ? [] : [{ name, version, license: told }];
}
