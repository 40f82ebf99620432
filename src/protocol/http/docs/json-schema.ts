/** As much of JSON Schema 2020-12, and of OpenAPI's additions to it, as the document uses. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly 'x-datatype'?: string;
  readonly 'x-shape'?: readonly (number | string)[];
}

export const TEXT: JsonSchema = { type: 'string' };
export const ANY_OBJECT: JsonSchema = { type: 'object' };
