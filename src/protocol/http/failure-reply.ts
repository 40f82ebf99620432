import type { NimifyError } from '../../base/errors/nimify-error.ts';
import { logFault, type Tally } from '../tally.ts';
import type { HttpDeps } from './deps.ts';
import { errorReply } from './http-error.ts';
import type { Reply } from './reply.ts';

/** The answer to a request that failed; what is a fault of ours goes to the log with its cause. */
export function failureReply(deps: HttpDeps, tally: Tally, error: NimifyError): Reply {
  logFault(deps, error, tally.requestId, tally.route);
  return errorReply(error, tally.requestId);
}
