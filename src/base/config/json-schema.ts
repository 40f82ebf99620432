import { VERSION } from '../util/version.ts';
import type { JsonSchema } from './kind.ts';
import { isOption, type Option, type OptionTree } from './option.ts';
import { MODEL_OPTIONS, SERVER_OPTIONS } from './options.ts';

/** Where editors find the schema of this version: it lies in the published package. */
export const SCHEMA_URL = `https://unpkg.com/nimify@${VERSION}/schema/nimify.schema.json`;

/**
 * The JSON Schema (draft 7, which editors' YAML plug-ins read) of nimify.yaml. What `loadConfig` takes, it takes;
 * bounds of numbers with units are the exception: it knows their form only.
 */
export function buildConfigSchema(): JsonSchema {
  const { properties: ofModel } = groupSchema(MODEL_OPTIONS) as { properties: Record<string, JsonSchema> };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: SCHEMA_URL,
    title: 'nimify.yaml',
    description: 'What nimify serves, and how. See docs/configuration.md.',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      models: {
        description:
          'Model files and folders to serve, from the folder of this file. Paths on the command line replace the whole list.',
        type: ['array', 'null'],
        items: {
          anyOf: [
            { type: 'string', minLength: 1 },
            {
              type: 'object',
              additionalProperties: false,
              required: ['path'],
              properties: {
                path: { type: 'string', minLength: 1, description: 'Model file, or folder of models.' },
                name: {
                  type: 'string',
                  minLength: 1,
                  description:
                    "Name to serve it under. Default: the file's, or its folder's where the file is called `model`.",
                },
                ...ofModel,
              },
            },
          ],
        },
      },
      defaults: { ...groupSchema(MODEL_OPTIONS), description: 'Settings for all models.' },
      ...(groupSchema(SERVER_OPTIONS).properties as Record<string, JsonSchema>),
    },
  };
}

function groupSchema(tree: OptionTree): JsonSchema {
  const properties = Object.entries(tree).map(([key, node]) => [
    key,
    isOption(node) ? optionSchema(node) : groupSchema(node),
  ]);
  return {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(properties),
  };
}

function optionSchema({ kind, doc, default: byDefault }: Option<unknown>): JsonSchema {
  return {
    ...kind.schema,
    description: doc,
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
}
