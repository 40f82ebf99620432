import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestHead } from './request-context.ts';

/** The second is what curl's `-d` says when it is not told otherwise; the body is JSON all the same. */
export const JSON_BODY = ['application/json', 'application/x-www-form-urlencoded'] as const;

/**
 * Refuses a request whose content type is none of `accepted` (lower case, without parameters); a request without
 * one passes. Text is UTF-8, so a `charset` that says otherwise is refused too.
 * @throws NimifyError UNSUPPORTED_MEDIA_TYPE
 */
export function requireMediaType(request: RequestHead, accepted: readonly string[]): void {
  const header = request.headers['content-type'];
  if (header === undefined || accepted.includes(header)) return;
  const [essence = '', ...parameters] = header.split(';').map((part) => part.trim().toLowerCase());
  if (!accepted.includes(essence)) throw refused(header, accepted, `send -H 'content-type: ${accepted[0]}'`);
  for (const parameter of parameters) {
    const charset = /^charset="?([^"]*)"?$/.exec(parameter)?.[1];
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8' && charset !== 'us-ascii') {
      throw refused(header, accepted, 'send the text as UTF-8');
    }
  }
}

function refused(header: string, accepted: readonly string[], next: string): NimifyError {
  return new NimifyError(
    'UNSUPPORTED_MEDIA_TYPE',
    `content-type: expected ${accepted.join(' or ')}, got '${header}'; ${next}`,
    { details: { where: 'content-type', expected: accepted, got: header } },
  );
}
