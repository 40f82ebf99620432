import type { GrpcDeps } from './deps.ts';
import { Health } from './generated/grpc/health/v1/health_pb.ts';
import { ServerReflection } from './generated/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { createHealth } from './health.ts';
import { createManagement } from './management.ts';
import type { Serve } from './methods.ts';
import { createReflection } from './reflection.ts';

export interface Services {
  /** Every method but inference, by path. */
  readonly methods: ReadonlyMap<string, Serve>;
  /** Tells those who watch the health, if it has changed. */
  lookAtHealth(): void;
}

/** Everything that is no inference. */
export function createServices(deps: GrpcDeps): Services {
  const health = createHealth(deps);
  const reflection = createReflection(
    [GRPCInferenceService, Health, ServerReflection, ServerReflectionAlpha].map(({ file }) => file),
  );
  const methods = new Map([...createManagement(deps), ...health.methods, ...reflection]);
  return { methods, lookAtHealth: health.look };
}
