import { ANY_OBJECT, TEXT } from './json-schema.ts';
import type { PathItems } from './model-paths.ts';
import { get, object, pathParameter, renamed } from './path-items.ts';
import { jsonResponse } from './responses.ts';

const HEALTH = object({ object: { const: 'health.response' }, message: TEXT });
/** There where models do not answer as they should. */
const IMPAIRED = {
  state: { enum: ['degraded', 'unready'] },
  impaired: { type: 'array', items: TEXT, description: 'Models that do not answer, or not as they should.' },
};
const READY_HEALTH = object({ object: { const: 'health.response' }, message: TEXT }, IMPAIRED);
const NOT_READY = object(
  { object: { const: 'error' }, message: TEXT, type: TEXT, code: { const: 503 } },
  IMPAIRED,
);
const READY = object({ ready: { type: 'boolean' } }, IMPAIRED);
const TENSOR = object({ name: TEXT, datatype: TEXT, shape: { type: 'array', items: { type: 'integer' } } });
const MODEL_METADATA = object({
  name: TEXT,
  versions: { type: 'array', items: TEXT },
  platform: TEXT,
  inputs: { type: 'array', items: TENSOR },
  outputs: { type: 'array', items: TENSOR },
});
const MODEL = object({
  id: TEXT,
  object: { const: 'model' },
  created: { type: 'integer', description: 'When it had been loaded, in seconds since 1970.' },
  owned_by: TEXT,
});

/** The routes that do not depend on which models are served, but for the names they take. */
export function managementPaths(names: readonly string[]): PathItems {
  const model = pathParameter('model', names.length === 0 ? TEXT : { enum: names });
  const version = pathParameter('version', TEXT);
  const metadata = get('v2', 'Metadata of a model', MODEL_METADATA, { codes: ['MODEL_NOT_FOUND'] });
  const ready = get(
    'v2',
    'Can the model take requests?',
    object({ name: TEXT, ready: { type: 'boolean' } }, { state: { enum: ['degraded'] } }),
    {
      codes: ['MODEL_NOT_FOUND'],
      also: { 400: jsonResponse('Not yet.', READY) },
    },
  );
  const status = get('management', 'State of a model', MODEL, { codes: ['MODEL_NOT_FOUND'] });
  return {
    '/v1/health/live': get('management', 'Is the server there?', HEALTH),
    '/v1/health/ready': get('management', 'Can every model that is required take requests?', READY_HEALTH, {
      also: { 503: jsonResponse('Not yet.', NOT_READY) },
    }),
    '/v1/models': get(
      'management',
      'The models',
      object({ object: { const: 'list' }, data: { type: 'array', items: MODEL } }),
    ),
    '/v1/models/{model}': { parameters: [model], ...status },
    '/v1/models/{model}/versions/{version}': {
      parameters: [model, version],
      ...renamed(status, 'of one version'),
    },
    '/v1/metadata': get('management', 'Version, models and licence', ANY_OBJECT),
    '/v1/version': get('management', 'Version', object({ release: TEXT, api: TEXT })),
    '/v1/manifest': get('management', 'The files served, as YAML', object({ manifest_file: TEXT })),
    '/v1/license': get('management', 'Licence of nimify', object({ name: TEXT, content: TEXT })),
    '/v1/metrics': get('management', 'Metrics in the Prometheus text format', TEXT, {
      contentType: 'text/plain',
    }),
    '/v2': get(
      'v2',
      'Metadata of the server',
      object({ name: TEXT, version: TEXT, extensions: { type: 'array', items: TEXT } }),
    ),
    '/v2/health/live': get('v2', 'Is the server live?', object({ live: { type: 'boolean' } })),
    '/v2/health/ready': get('v2', 'Is the server ready?', READY, {
      also: { 400: jsonResponse('Not yet.', READY) },
    }),
    '/v2/models/{model}': { parameters: [model], ...metadata },
    '/v2/models/{model}/ready': { parameters: [model], ...ready },
    '/v2/models/{model}/versions/{version}': {
      parameters: [model, version],
      ...renamed(metadata, 'version'),
    },
    '/v2/models/{model}/versions/{version}/ready': {
      parameters: [model, version],
      ...renamed(ready, 'version'),
    },
  };
}
