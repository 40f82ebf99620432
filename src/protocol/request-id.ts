import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const USABLE_REQUEST_ID = /^[A-Za-z0-9._:~+/=@-]{1,128}$/;

/** All of a random UUID but the last twelve digits, in which the ids of this process count. */
const PREFIX = randomUUID().slice(0, 24);

let made = 0;

/** An id in the form of a UUID. To draw and to write a whole one for each request costs ten times as much. */
function nextRequestId(): string {
  made += 1;
  return PREFIX + made.toString(16).padStart(12, '0');
}

/** `x-request-id` where it is 1 to 128 characters that are safe in headers and logs, else a new one. */
export function requestIdOf(request: { readonly headers: IncomingHttpHeaders }): string {
  const sent = request.headers['x-request-id'];
  return typeof sent === 'string' && USABLE_REQUEST_ID.test(sent) ? sent : nextRequestId();
}
