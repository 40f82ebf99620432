import type { ServedModel } from '../../../registry/contract.ts';
import { answeringVersions } from '../../../registry/versions.ts';
import { ADMIN_TAG, adminPaths } from './admin-paths.ts';
import { EXTENSIONS_TAG, extensionPaths } from './extension-paths.ts';
import { managementPaths } from './management-paths.ts';
import { modelPaths, type PathItems, simplePath } from './model-paths.ts';
import { ERROR_SCHEMA } from './responses.ts';

export interface OpenApiOptions {
  /** nimify's version. */
  readonly version: string;
  /** Where the routes are. Default `/`: where the document was read. */
  readonly serverUrl?: string;
}

const SIMPLE_TAG = { name: 'simple', description: 'The first call.' };
const FIXED_TAGS = [
  { name: 'v2', description: 'The Open Inference Protocol.' },
  EXTENSIONS_TAG,
  { name: 'management', description: 'Health, models and versions, as NVIDIA NIM has them.' },
  ADMIN_TAG,
];

/**
 * An OpenAPI 3.1 document of exactly what is served: a path for every model, with its names, datatypes, shapes
 * and a body that works. `models` come by name and then version, as `Registry.list` gives them.
 */
export function buildOpenApi(models: readonly ServedModel[], options: OpenApiOptions) {
  const answering = answeringVersions(models);
  const names = answering.map((served) => served.name);
  return {
    openapi: '3.1.0',
    info: {
      title: 'nimify',
      version: options.version,
      description: 'Inference with the models served here.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: options.serverUrl ?? '/' }],
    tags: [SIMPLE_TAG, ...answering.filter(isOwnTag).map(modelTag), ...FIXED_TAGS],
    paths: {
      '/v1/predict': simplePath(answering),
      ...allModelPaths(models, answering),
      ...managementPaths(names),
      ...extensionPaths(names),
      ...adminPaths(names),
    },
    components: { schemas: { Error: ERROR_SCHEMA } },
  };
}

function allModelPaths(models: readonly ServedModel[], answering: readonly ServedModel[]): PathItems {
  const paths: Record<string, object> = {};
  for (const [index, served] of models.entries()) {
    const hasSiblings = models.some((other) => other.name === served.name && other !== served);
    const isAnswering = answering.includes(served);
    Object.assign(paths, modelPaths(served, idOf(served, index), isAnswering, hasSiblings));
  }
  return paths;
}

/** Different names can read the same once what no identifier may hold is replaced: the index tells them apart. */
function idOf({ name }: ServedModel, index: number): string {
  return `${name.replace(/[^A-Za-z0-9]+/g, '_')}_${index + 1}`;
}

/** A model that is called like a fixed tag shares it. */
function isOwnTag({ name }: ServedModel): boolean {
  return [SIMPLE_TAG, ...FIXED_TAGS].every((tag) => tag.name !== name);
}

function modelTag({ name, artifact }: ServedModel): { name: string; description?: string } {
  const { description } = artifact.metadata;
  return { name, ...(description === undefined ? {} : { description }) };
}
