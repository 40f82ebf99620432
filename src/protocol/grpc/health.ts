import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Timer } from '../../base/util/clock.ts';
import { readinessOf } from '../model-readiness.ts';
import { type Call, respond, sendOne } from './call.ts';
import type { GrpcDeps } from './deps.ts';
import {
  Health,
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from './generated/grpc/health/v1/health_pb.ts';
import { readMessage, writeMessage } from './messages.ts';
import { fail, pathOf, type Serve, serveUnary } from './methods.ts';
import { errorTrailers } from './status.ts';
import { receiveOnly } from './unary.ts';

/** The server as a whole, and the service by whose name clients may ask instead. */
const SERVICES = ['', 'inference.GRPCInferenceService'];

/** The registry does not tell when it becomes ready; whoever watches hears of it this late at most. */
const LOOK_MS = 250;

export interface HealthService {
  readonly methods: ReadonlyMap<string, Serve>;
  /** Tells those who watch, if anything has changed. */
  look(): void;
}

/**
 * `grpc.health.v1.Health` (grpc, doc/health-checking.md): SERVING when every model is ready. A model's name is a service
 * as well, which is SERVING when that model is: for clients that look for one model on many servers.
 */
export function createHealth(deps: GrpcDeps): HealthService {
  const watching = new Set<() => void>();
  let timer: Timer | undefined;

  function statusOf(service: string): Serving {
    const isReady = SERVICES.includes(service)
      ? deps.registry.isReady()
      : readinessOf(deps.registry, service, undefined);
    if (isReady === undefined) return Serving.SERVICE_UNKNOWN;
    return isReady ? Serving.SERVING : Serving.NOT_SERVING;
  }

  function allServices(): readonly string[] {
    return [...SERVICES, ...deps.registry.list().map(({ name }) => name)];
  }

  function look(): void {
    for (const tell of watching) tell();
  }

  function lookOn(): void {
    timer = deps.clock.setTimer(() => {
      look();
      lookOn();
    }, LOOK_MS);
  }

  function check({ service }: HealthCheckRequest): { status: Serving } {
    const status = statusOf(service);
    if (status !== Serving.SERVICE_UNKNOWN) return { status };
    throw new NimifyError(
      'NOT_FOUND',
      `service: expected '', '${SERVICES[1]}' or the name of a model, got another; ask for one of these`,
      { details: { where: 'service', expected: SERVICES } },
    );
  }

  /** Sends the status, and again whenever it is another one, until the client or the server ends it. */
  function watch(call: Call, service: string): void {
    // While its message was decompressed.
    if (call.hasLeft) return;
    let told: Serving | undefined;
    let isTelling = false;
    respond(call, 'identity');

    function tell(): void {
      const status = statusOf(service);
      if (isTelling || status === told || call.hasLeft) return;
      told = status;
      isTelling = true;
      void sendOne(call, writeMessage(HealthCheckResponseSchema, { status }), 'identity').then(() => {
        isTelling = false;
        tell();
      });
    }

    call.onDrain = (error) => {
      tell();
      call.stream.end(errorTrailers(error, call.requestId));
    };
    call.onClose = () => {
      watching.delete(tell);
      if (watching.size === 0) timer?.cancel();
    };
    if (watching.size === 0) lookOn();
    watching.add(tell);
    tell();
  }

  const methods = new Map<string, Serve>([
    [pathOf(Health.method.check), serveUnary(Health.method.check, check)],
    [
      pathOf(Health.method.list),
      serveUnary(Health.method.list, () => ({
        statuses: Object.fromEntries(
          allServices().map((service) => [service, { status: statusOf(service) }]),
        ),
      })),
    ],
    [
      pathOf(Health.method.watch),
      (call) =>
        receiveOnly(
          call,
          undefined,
          ({ bytes }, _isOwn, claim) => {
            claim?.release();
            try {
              watch(call, readMessage(HealthCheckRequestSchema, bytes).service);
            } catch (refused) {
              fail(call, refused);
            }
          },
          (error) => fail(call, error),
        ),
    ],
  ]);
  return { methods, look };
}
