import type { ErrorCode } from '../../../base/errors/table.ts';
import { ANY_OBJECT, type JsonSchema, TEXT } from './json-schema.ts';
import type { PathItems } from './model-paths.ts';
import { get, object, pathParameter, post, renamed } from './path-items.ts';
import { INFERENCE_CODES } from './responses.ts';

export const EXTENSIONS_TAG = {
  name: 'triton',
  description: "Triton's extensions of the Open Inference Protocol.",
};

const FLAG: JsonSchema = { type: 'boolean' };
const COUNT: JsonSchema = { type: 'integer', minimum: 0 };

const DURATION = object({ count: COUNT, ns: COUNT });
const COMPUTE = { compute_input: DURATION, compute_infer: DURATION, compute_output: DURATION };
const STATISTICS = object({
  model_stats: {
    type: 'array',
    items: object({
      name: TEXT,
      version: TEXT,
      last_inference: { ...COUNT, description: 'In milliseconds since 1970; 0: none.' },
      inference_count: { ...COUNT, description: 'Rows that were answered.' },
      execution_count: { ...COUNT, description: 'Runs of the engine.' },
      inference_stats: object({
        ...{ success: DURATION, fail: DURATION, queue: DURATION },
        ...COMPUTE,
        ...{ cache_hit: DURATION, cache_miss: DURATION },
      }),
      response_stats: ANY_OBJECT,
      batch_stats: { type: 'array', items: object({ batch_size: COUNT, ...COMPUTE }) },
      memory_usage: { type: 'array' },
    }),
  },
});

const INDEX: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'state', 'reason'],
    properties: {
      name: TEXT,
      version: TEXT,
      state: { enum: ['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE'] },
      reason: TEXT,
    },
  },
};

const LOAD = withParameters({
  type: 'object',
  properties: { config: { type: 'string', description: 'A model configuration as JSON.' } },
  additionalProperties: {
    type: 'string',
    description: '`file:<path>`: a file within the model folder, in base64, beside a `config`.',
  },
});
const UNLOAD = withParameters({ type: 'object', properties: { unload_dependents: FLAG } });

const LOG_SETTINGS: JsonSchema = {
  type: 'object',
  properties: {
    log_file: TEXT,
    log_info: FLAG,
    log_warning: FLAG,
    log_error: FLAG,
    log_verbose_level: COUNT,
    log_format: TEXT,
  },
};

const GENERATE: JsonSchema = {
  type: 'object',
  description: 'A value or a flat list of them for each input; what is no input is a parameter.',
  properties: { id: TEXT, parameters: { type: 'object' } },
};
const GENERATED: JsonSchema = {
  type: 'object',
  required: ['model_name', 'model_version'],
  description: 'A value or a flat list of them for each output.',
  properties: { id: TEXT, model_name: TEXT, model_version: TEXT },
};

const LOAD_CODES: readonly ErrorCode[] = [
  ...(['INVALID_INPUT', 'MODEL_NOT_FOUND', 'NOT_FOUND', 'CONFLICT', 'PAYLOAD_TOO_LARGE'] as const),
  ...(['UNSUPPORTED_MEDIA_TYPE', 'ENGINE_FAILED', 'INTERNAL', 'UNSUPPORTED'] as const),
];

/** The routes of Triton's extensions, whichever models are served. */
export function extensionPaths(names: readonly string[]): PathItems {
  const tag = EXTENSIONS_TAG.name;
  const model = pathParameter('model', names.length === 0 ? TEXT : { enum: names });
  const version = pathParameter('version', TEXT);
  const codes: readonly ErrorCode[] = ['MODEL_NOT_FOUND', 'MODEL_NOT_READY'];
  const ofModel = {
    config: get(tag, 'Configuration of a model', ANY_OBJECT, { codes }),
    stats: get(tag, 'Statistics of a model', STATISTICS, { codes }),
    generate: post(tag, 'Generate', {
      ...{ request: GENERATE, response: GENERATED, codes: INFERENCE_CODES, isRequired: true },
    }),
    generate_stream: post(tag, 'Generate, as a stream of one event', {
      ...{ request: GENERATE, response: TEXT, contentType: 'text/event-stream' },
      ...{ codes: INFERENCE_CODES, isRequired: true },
    }),
  };
  const paths: Record<string, object> = {};
  for (const [verb, item] of Object.entries(ofModel)) {
    paths[`/v2/models/{model}/${verb}`] = { parameters: [model], ...item };
    paths[`/v2/models/{model}/versions/{version}/${verb}`] = {
      parameters: [model, version],
      ...renamed(item, 'version'),
    };
  }
  const settings = { codes: ['UNSUPPORTED'] } as const;
  return {
    ...paths,
    '/v2/models/stats': get(tag, 'Statistics of all models', STATISTICS),
    '/v2/repository/index': post(tag, 'What the repository holds', {
      ...{ request: { type: 'object', properties: { ready: FLAG } }, response: INDEX },
      codes: ['INVALID_INPUT', 'UNSUPPORTED_MEDIA_TYPE'],
    }),
    '/v2/repository/models/{model}/load': {
      parameters: [pathParameter('model', TEXT)],
      ...post(tag, 'Load a model', { request: LOAD, codes: LOAD_CODES }),
    },
    '/v2/repository/models/{model}/unload': {
      parameters: [pathParameter('model', TEXT)],
      ...post(tag, 'Unload a model', {
        request: UNLOAD,
        codes: ['INVALID_INPUT', 'MODEL_NOT_FOUND', 'UNSUPPORTED'],
      }),
    },
    '/v2/logging': {
      ...get(tag, 'What the log tells', LOG_SETTINGS, settings),
      ...post(tag, 'Change what the log tells', {
        ...{ request: LOG_SETTINGS, response: LOG_SETTINGS, isRequired: true },
        codes: ['INVALID_INPUT', 'UNSUPPORTED_MEDIA_TYPE', 'UNSUPPORTED'],
      }),
    },
  };
}

function withParameters(parameters: JsonSchema): JsonSchema {
  return { type: 'object', properties: { parameters } };
}
