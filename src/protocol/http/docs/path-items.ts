import type { ErrorCode } from '../../../base/errors/table.ts';
import type { JsonSchema } from './json-schema.ts';
import { errorResponses, type ResponseObject } from './responses.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, ResponseObject>>;
}

/** What a path does, by method. */
export type PathItem = Readonly<Record<string, Operation>>;

export interface GetOptions {
  readonly codes?: readonly ErrorCode[];
  readonly also?: Readonly<Record<string, ResponseObject>>;
  readonly contentType?: string;
}

export function get(tag: string, summary: string, schema: JsonSchema, options: GetOptions = {}): PathItem {
  const { codes = [], also = {}, contentType } = options;
  const responses = { 200: answer(schema, contentType), ...also, ...errorResponses(codes) };
  return { get: { operationId: idOf(tag, summary), tags: [tag], summary, responses } };
}

export interface PostOptions {
  readonly request: JsonSchema;
  /** Absent: nothing is answered. */
  readonly response?: JsonSchema;
  readonly contentType?: string;
  readonly codes: readonly ErrorCode[];
  /** Must there be a body? Default false. */
  readonly isRequired?: boolean;
}

export function post(tag: string, summary: string, options: PostOptions): PathItem {
  const { request, response, contentType, codes, isRequired = false } = options;
  const content = { 'application/json': { schema: request } };
  const responses = { 200: answer(response, contentType), ...errorResponses(codes) };
  return {
    post: {
      operationId: idOf(tag, summary),
      tags: [tag],
      summary,
      requestBody: { required: isRequired, content },
      responses,
    },
  };
}

function answer(schema: JsonSchema | undefined, contentType = 'application/json'): ResponseObject {
  return { description: 'OK', ...(schema === undefined ? {} : { content: { [contentType]: { schema } } }) };
}

/** The same route with a version in its path. */
export function renamed(item: PathItem, suffix: string): PathItem {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]) => {
      const { operationId, summary } = operation;
      const own = { operationId: idOf(operationId, suffix), summary: `${summary} (version)` };
      return [method, { ...operation, ...own }];
    }),
  );
}

export function pathParameter(name: string, schema: JsonSchema): object {
  return { name, in: 'path', required: true, schema };
}

export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    type: 'object',
    properties: { ...properties, ...optional },
    required: Object.keys(properties),
  };
}

function idOf(...parts: readonly string[]): string {
  return parts
    .join('_')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/_+$/, '');
}
