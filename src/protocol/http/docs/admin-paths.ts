import { EVENT_LEVELS, EVENT_TYPES } from '../../../base/telemetry/events.ts';
import { type JsonSchema, TEXT } from './json-schema.ts';
import type { PathItems } from './model-paths.ts';
import { get, object } from './path-items.ts';

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

/** What `/admin` has, whichever models are served. */
export function adminPaths(): PathItems {
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
  };
}

function query(name: string, schema: JsonSchema): object {
  return { name, in: 'query', schema };
}
