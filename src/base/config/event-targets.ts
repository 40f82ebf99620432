import { isAbsolute, join } from 'node:path';
import type { Kind } from './kind.ts';

/** Where events are sent. */
export interface WebhookTarget {
  readonly url: string;
  /** Holds the key that what is sent is signed with. Absent: it is not signed. */
  readonly secretFile?: string;
}

const URL_PATTERN = '^https?://[^\\s]+$';
const URL_SHAPE = new RegExp(URL_PATTERN);
const MOST_TARGETS = 16;

/** Of a server that speaks HTTP. */
export const HTTP_URL: Kind<string> = {
  name: 'url',
  expected: 'an address such as http://127.0.0.1:9093',
  schema: { type: 'string', pattern: URL_PATTERN },
  fromValue: (value) => (isHttpUrl(value) ? value : undefined),
  fromText: (text) => (isHttpUrl(text) ? text : undefined),
};

/** Addresses, in the file each perhaps with a `secretFile`. As text: addresses with commas between them. */
export const WEBHOOKS: Kind<readonly WebhookTarget[]> = {
  name: 'urls',
  expected:
    'a list of addresses, or of objects with a `url` and a `secretFile`; as text: addresses with commas between them',
  schema: {
    type: 'array',
    maxItems: MOST_TARGETS,
    items: {
      anyOf: [
        HTTP_URL.schema,
        {
          type: 'object',
          additionalProperties: false,
          required: ['url'],
          properties: { url: HTTP_URL.schema, secretFile: { type: 'string', minLength: 1 } },
        },
      ],
    },
  },
  fromValue(value) {
    if (!Array.isArray(value) || value.length > MOST_TARGETS) return undefined;
    const targets = value.map(toTarget);
    return targets.includes(undefined) ? undefined : (targets as WebhookTarget[]);
  },
  fromText: (text) => WEBHOOKS.fromValue(text.split(',').map((url) => url.trim())),
  within: (targets, folder) =>
    targets.map(({ url, secretFile }) => ({
      url,
      ...(secretFile === undefined
        ? {}
        : { secretFile: isAbsolute(secretFile) ? secretFile : join(folder, secretFile) }),
    })),
};

function toTarget(value: unknown): WebhookTarget | undefined {
  if (isHttpUrl(value)) return { url: value };
  if (typeof value !== 'object' || value === null) return undefined;
  const { url, secretFile, ...others } = value as Record<string, unknown>;
  if (!isHttpUrl(url) || Object.keys(others).length > 0) return undefined;
  if (secretFile === undefined) return { url };
  return typeof secretFile === 'string' && secretFile !== '' ? { url, secretFile } : undefined;
}

function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && URL_SHAPE.test(value) && URL.canParse(value);
}
