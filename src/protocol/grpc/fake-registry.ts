import { SILENT } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import type { RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import { createBufferPool } from '../../base/util/buffer-pool.ts';
import { type Clock, systemClock } from '../../base/util/clock.ts';
import { createEventLog } from '../../control/events/event-log.ts';
import { createFakeModel, type FakeModelOptions } from '../../model/fake-model.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { ROWS_OF_FOUR, toFakeServed } from '../../registry/fake-served.ts';
import { createRegistry, type MutableRegistry } from '../../registry/registry.ts';
import { createCluster } from '../cluster.ts';
import { createConnectionRoom } from '../connection-room.ts';
import { createFakeControl, type FakeControl } from '../fake-control.ts';
import { listen } from '../listen.ts';
import { createMemoryRoom } from '../memory-room.ts';
import type { ServerTls } from '../server-tls.ts';
import { DEFAULT_GRPC_OPTIONS, type GrpcDeps, type GrpcOptions } from './deps.ts';
import { createGrpcPort, type GrpcPort } from './port.ts';

/** Test support: models without an engine, in a real registry, and everything else that a server needs. */

export function served(options: FakeModelOptions & { readonly name: string }): ServedModel {
  const { signature = ROWS_OF_FOUR } = options;
  const asOutput: FakeModelOptions['answer'] = ({ inputs }) =>
    inputs.map((input, index) => ({ ...input, name: signature.outputs[index]?.name ?? '' }));
  return toFakeServed(createFakeModel({ answer: asOutput, ...options, signature }));
}

export interface FakeDeps extends GrpcDeps {
  readonly registry: MutableRegistry;
  readonly control: FakeControl;
  /** What the server reported, in order. */
  readonly outcomes: RequestOutcome[];
  readonly logged: string[];
}

export function createFakeDeps(
  models: readonly (FakeModelOptions & { readonly name: string })[],
  options: Partial<GrpcOptions> = {},
  clock: Clock = systemClock,
): FakeDeps {
  const registry = createRegistry();
  for (const model of models) registry.add(served(model));
  const outcomes: RequestOutcome[] = [];
  const logged: string[] = [];
  const log: GrpcDeps['log'] = {
    ...SILENT,
    level: 'info',
    error: (_fields, message) => void logged.push(message),
  };
  const control = createFakeControl(registry);
  const events = createEventLog({ clock, log, sinks: [], isServed: () => true });
  const slo = { read: () => [] };
  return {
    registry,
    control,
    clock,
    log,
    connectionRoom: createConnectionRoom({ clock, log, maxConnections: undefined }),
    memoryRoom: createMemoryRoom({ clock, log, ceilingBytes: undefined }),
    cluster: createCluster({ metrics: createMetricsRegistry(), registry, control, log, events, slo }),
    listen,
    tls: undefined,
    accessLog: { note() {} },
    instruments: { begin() {}, end: (outcome) => void outcomes.push(outcome) },
    options: { ...DEFAULT_GRPC_OPTIONS, ...options },
    version: '0.0.0-test',
    outcomes,
    logged,
  };
}

export interface FakeServer extends FakeDeps {
  readonly server: GrpcPort;
  readonly port: number;
  close(): Promise<void>;
}

/** A server of such models on a free port. */
export async function serveFake(
  models: Parameters<typeof createFakeDeps>[0],
  options?: Partial<GrpcOptions>,
  clock?: Clock,
  tls?: ServerTls,
): Promise<FakeServer> {
  const deps = { ...createFakeDeps(models, options, clock), tls };
  // Whoever looks at memory that was given back finds no numbers there.
  const onGive = (buffer: ArrayBuffer) => void new Uint8Array(buffer).fill(0xff);
  const server = createGrpcPort(deps, createBufferPool({ clock: deps.clock, onGive }));
  const { port } = await server.listen('127.0.0.1', 0);
  return { ...deps, server, port, close: () => server.close({ graceMs: 0 }) };
}
