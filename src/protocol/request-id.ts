import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const USABLE_REQUEST_ID = /^[A-Za-z0-9._:~+/=@-]{1,128}$/;

/** `x-request-id` where it is 1 to 128 characters that are safe in headers and logs, else a new one. */
export function requestIdOf(request: { readonly headers: IncomingHttpHeaders }): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && USABLE_REQUEST_ID.test(sent) ? sent : randomUUID();
}
