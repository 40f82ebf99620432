import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';

/** The key that a file's text stands for: base64 after `whsec_`, as that specification has it, or the text itself. */
export function toKey(text: string): Buffer {
  const secret = text.trim();
  return secret.startsWith(PREFIX)
    ? Buffer.from(secret.slice(PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
}

/**
 * The headers of a webhook by the Standard Webhooks specification (standardwebhooks.com, 1.0): what is signed is id, time of
 * the attempt and body, with HMAC-SHA256. Without a key there is no signature.
 */
export function webhookHeaders(
  id: string,
  body: string,
  wallMs: number,
  key: Buffer | undefined,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(wallMs / 1000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (key === undefined) return headers;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}
