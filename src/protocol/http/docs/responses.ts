import { ERROR_TABLE, type ErrorCode, type ErrorEntry } from '../../../base/errors/table.ts';
import type { JsonSchema } from './json-schema.ts';
import type { JsonValue } from './json-values.ts';

/** The codes that an inference can end with. */
export const INFERENCE_CODES = [
  'INVALID_INPUT',
  'MODEL_NOT_FOUND',
  'REQUEST_TIMEOUT',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'OVERLOADED',
  'CANCELLED',
  'ENGINE_FAILED',
  'INTERNAL',
  'UNSUPPORTED',
  'MODEL_NOT_READY',
  'ENGINE_CRASHED',
  'DEADLINE_EXCEEDED',
] as const satisfies readonly ErrorCode[];

/** Every code that has an HTTP status: what `code` in an error body can be. */
export const HTTP_CODES = (Object.keys(ERROR_TABLE) as ErrorCode[]).filter(
  (code) => entryOf(code).http !== undefined,
);

export const ERROR_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['error', 'code', 'request_id'],
  properties: {
    error: { type: 'string', description: 'Where, what was expected, what came, and the next step.' },
    code: { enum: HTTP_CODES },
    request_id: { type: 'string' },
    details: { type: 'object', description: 'The same for machines: `where`, `expected`, `got`.' },
  },
};

export interface ResponseObject {
  readonly description: string;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface MediaType {
  readonly schema: JsonSchema;
  readonly example?: JsonValue;
  readonly examples?: Readonly<Record<string, { readonly value: JsonValue }>>;
}

/** Examples by name; a single one needs none. */
export type Examples = readonly (readonly [name: string, value: JsonValue | undefined])[];

export function jsonContent(
  schema: JsonSchema,
  examples: Examples = [],
): Readonly<Record<string, MediaType>> {
  const shown = examples.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value }] as const],
  );
  const [first] = shown;
  if (first === undefined) return { 'application/json': { schema } };
  if (shown.length === 1) return { 'application/json': { schema, example: first[1].value } };
  return { 'application/json': { schema, examples: Object.fromEntries(shown) } };
}

export function jsonResponse(description: string, schema: JsonSchema, examples?: Examples): ResponseObject {
  return { description, content: jsonContent(schema, examples) };
}

/** One response a status, with all the codes that share it. */
export function errorResponses(codes: readonly ErrorCode[]): Readonly<Record<string, ResponseObject>> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { http } = entryOf(code);
    if (http !== undefined) byStatus.set(http, [...(byStatus.get(http) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, shared]) => [
      String(status),
      jsonResponse(shared.map((code) => `\`${code}\`: ${entryOf(code).meaning}`).join('\n\n'), {
        $ref: '#/components/schemas/Error',
      }),
    ]),
  );
}

function entryOf(code: ErrorCode): ErrorEntry {
  return ERROR_TABLE[code];
}
