import { EVENT_LEVELS, EVENT_TYPES } from '../../../base/telemetry/events.ts';
import { BREAKER_ACTIONS, BREAKER_STATES } from '../../breakers.ts';
import { type JsonSchema, TEXT } from './json-schema.ts';
import type { PathItems } from './model-paths.ts';
import { get, object, type PathItem, pathParameter, post, renamed } from './path-items.ts';

export const ADMIN_TAG = { name: 'admin', description: 'For those who run the server.' };

const NUMBER: JsonSchema = { type: 'number' };
const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
const TYPES = { enum: Object.keys(EVENT_TYPES) };
const RECORD: JsonSchema = {
  type: 'object',
  required: ['id', 'process', 'time', 'type', 'state', 'change', 'message', 'count', 'since', 'runbook'],
  properties: {
    ...{ id: COUNT, process: COUNT, time: TEXT, type: TYPES, state: { enum: EVENT_LEVELS } },
    change: { enum: ['opened', 'raised', 'lasted', 'repeated', 'ended', 'resolved', 'noted'] },
    ...{ model: TEXT, version: TEXT, part: TEXT, message: TEXT },
    done: { type: 'string', description: 'What the server has done about it.' },
    count: { ...COUNT, description: 'Reports of the incident so far.' },
    ...{ since: TEXT, details: { type: 'object' } },
    runbook: { type: 'string', description: 'Address of the page that says what to do.' },
  },
};
const STANDING: JsonSchema = {
  type: 'object',
  required: ['model', 'objective', 'target', 'good', 'bad', 'ratio', 'budget', 'burn_rate', 'state'],
  properties: {
    ...{ model: TEXT, objective: { enum: ['availability', 'latency'] }, target: NUMBER },
    ...{ threshold_ms: NUMBER, period: TEXT, since: TEXT, good: COUNT, bad: COUNT },
    ratio: { anyOf: [NUMBER, { type: 'null' }], description: 'Null: no requests.' },
    budget: object({ allowed: NUMBER, spent: NUMBER, remaining: NUMBER }),
    burn_rate: { type: 'object', additionalProperties: NUMBER },
    state: { enum: ['ok', 'degraded', 'paging'] },
  },
};

const BREAKER = object({
  ...{ model: TEXT, version: TEXT, state: { enum: BREAKER_STATES } },
  forced: { type: 'boolean', description: 'Somebody opened or closed it by hand.' },
  ...{ calls: COUNT, faults: COUNT, slow: COUNT, retry_after_ms: COUNT },
});
const RELOADED = object({
  loaded: { type: 'array', items: TEXT },
  removed: { type: 'array', items: TEXT },
});

/** What `/admin` has; of the models only the names matter. */
export function adminPaths(names: readonly string[]): PathItems {
  const { name: tag } = ADMIN_TAG;
  const lists = { type: 'string', description: 'One, or several with commas between.' };
  const parameters = [
    query('type', lists),
    query('state', lists),
    query('model', TEXT),
    query('limit', {
      ...COUNT,
      maximum: 9999,
      description: 'The latest so many; 100 unless told otherwise.',
    }),
    query('follow', { type: 'boolean', description: 'Go on, a record a line (application/x-ndjson).' }),
  ];
  const records: JsonSchema = { type: 'array', items: RECORD };
  const model = pathParameter('model', names.length === 0 ? TEXT : { enum: names });
  const version = pathParameter('version', TEXT);
  const breaker = {
    ...get(tag, 'Breaker of a model', BREAKER, { codes: ['MODEL_NOT_FOUND'] }),
    ...post(tag, 'Open, close or reset the breaker of a model', {
      request: object({ action: { enum: BREAKER_ACTIONS } }),
      response: BREAKER,
      codes: ['INVALID_INPUT', 'MODEL_NOT_FOUND'],
      isRequired: true,
    }),
  };
  return {
    '/admin/events': {
      parameters,
      ...get(tag, 'What happened to the server', object({ events: records, open: records }), {
        codes: ['INVALID_INPUT'],
      }),
    },
    '/admin/slo': get(
      tag,
      'How the models keep to their objectives',
      object({ objectives: { type: 'array', items: STANDING } }),
    ),
    '/admin/models/{model}/breaker': { parameters: [model], ...breaker },
    '/admin/models/{model}/versions/{version}/breaker': {
      parameters: [model, version],
      ...renamed(breaker, 'version'),
    },
    '/admin/reload': reload(tag),
  };
}

/** It has no body: what is to hold is in the file. */
function reload(tag: string): PathItem {
  const summary = 'Read the configuration again';
  const codes = ['CONFLICT', 'UNSUPPORTED'] as const;
  const { get: operation } = get(tag, summary, RELOADED, { codes });
  return { post: operation! };
}

function query(name: string, schema: JsonSchema): object {
  return { name, in: 'query', schema };
}
