import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Registry, ServerHealth } from '../../registry/contract.ts';
import { requestIdOf } from '../request-id.ts';
import type { HttpDeps } from './deps.ts';

export interface ProbeAnswer {
  readonly status: number;
  /** To be written as JSON. */
  readonly body: object;
}

type Probe = (registry: Registry) => ProbeAnswer;

const NIM_LIVE = { object: 'health.response', message: 'Service is live.' };
const NIM_READY = { object: 'health.response', message: 'Service is ready.' };
const NIM_NOT_READY = {
  object: 'error',
  message: 'Service is not ready.',
  type: 'MODEL_NOT_READY',
  param: null,
  code: 503,
};

/**
 * The health routes by path: those of the Open Inference Protocol, where not ready is 400, as in Triton, and those
 * of NVIDIA NIM (API reference pages of the NIMs, "Health"), where it is 503. Where models do not answer as they should,
 * `state` and `impaired` say so.
 */
export const PROBES: ReadonlyMap<string, Probe> = new Map<string, Probe>([
  ['/v2/health/live', () => ({ status: 200, body: { live: true } })],
  ['/v2/health/ready', (registry) => answerOip(registry.health())],
  ['/v1/health/live', () => ({ status: 200, body: NIM_LIVE })],
  ['/v1/health/ready', (registry) => answerNim(registry.health())],
]);

function answerOip(health: ServerHealth): ProbeAnswer {
  const isReady = health.state !== 'unready';
  return { status: isReady ? 200 : 400, body: { ready: isReady, ...tellImpaired(health) } };
}

function answerNim(health: ServerHealth): ProbeAnswer {
  return health.state === 'unready'
    ? { status: 503, body: { ...NIM_NOT_READY, ...tellImpaired(health) } }
    : { status: 200, body: { ...NIM_READY, ...tellImpaired(health) } };
}

/** Nothing where all is well: then the answers are those of the protocols and no more. */
function tellImpaired({ state, impaired }: ServerHealth): object {
  return impaired.length === 0 ? {} : { state, impaired };
}

/**
 * Answers what asks for a health route in its plain form. Everything a server in a cluster is usually sent is then
 * inference and this, so that Fastify is loaded in those only that are asked for more.
 * @returns false where it is another request
 */
export function answerProbe(request: IncomingMessage, response: ServerResponse, deps: HttpDeps): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const probe = PROBES.get(request.url ?? '');
  if (probe === undefined) return false;
  const { status, body } = probe(deps.registry);
  const bytes = Buffer.from(JSON.stringify(body));
  // The headers that Fastify gives such an answer.
  response.writeHead(status, {
    'x-request-id': requestIdOf(request),
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  });
  // Node leaves the body out of an answer to HEAD by itself.
  response.end(bytes);
  return true;
}
