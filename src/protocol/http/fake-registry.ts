import { SILENT } from '../../base/telemetry/log.ts';
import type { MetricsRegistry } from '../../base/telemetry/metrics.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import type { RequestInstruments, RequestOutcome } from '../../base/telemetry/request-instruments.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { systemClock } from '../../base/util/clock.ts';
import type { EventLog } from '../../control/events/contract.ts';
import { createEventLog } from '../../control/events/event-log.ts';
import type { Model, ModelState } from '../../model/contract.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { ROWS_OF_FOUR, toFakeServed } from '../../registry/fake-served.ts';
import { createRegistry, type MutableRegistry } from '../../registry/registry.ts';
import { createCluster } from '../cluster.ts';
import { createConnectionRoom } from '../connection-room.ts';
import { createFakeControl, type FakeControl } from '../fake-control.ts';
import { listen } from '../listen.ts';
import { createMemoryRoom } from '../memory-room.ts';
import { DEFAULT_HTTP_OPTIONS, type HttpDeps, type HttpOptions } from './deps.ts';

/** Test support: models without an engine, in a real registry, and everything else that a server needs. */

export interface FakeServedOptions {
  readonly name: string;
  readonly version?: string;
  readonly signature?: Signature;
  readonly state?: ModelState;
  /** Default: every output is the input at the same place. */
  readonly infer?: Model['infer'];
  /** Default: no answer is given at once. */
  readonly inferNow?: Model['inferNow'];
  /** Default: nothing is known beforehand. */
  readonly turnAway?: Model['turnAway'];
}

export function createFakeServed(options: FakeServedOptions): ServedModel {
  const { name, version = '1', signature = ROWS_OF_FOUR, state = 'ready' } = options;
  const infer = options.infer ?? (async (request: InferRequest) => echo(request, signature, version));
  const model: Model = {
    ...{ kind: 'fake', name, version, signature, state, deterministic: true, varies: [], inner: [] },
    onState: () => () => {},
    infer,
    ...(options.inferNow === undefined ? {} : { inferNow: options.inferNow }),
    ...(options.turnAway === undefined ? {} : { turnAway: options.turnAway }),
    close: async () => {},
  };
  return { ...toFakeServed(model), platform: 'fake', notes: { host: 'none' } };
}

/** The answer of a model that gives every input back as the output at the same place. */
export function echo(request: InferRequest, signature: Signature, version = '1'): InferResponse {
  const all = request.inputs.map(
    (input, i): Tensor => ({ ...input, name: signature.outputs[i]?.name ?? '' }),
  );
  const wanted = request.outputs ?? signature.outputs.map((output) => output.name);
  request.owner.retain();
  return {
    model: request.model,
    version,
    id: request.id,
    outputs: all.filter((output) => wanted.includes(output.name)),
    parameters: {},
    report: { cache: 'none', computeNs: 1, cacheable: true },
    owner: createOwner(() => request.owner.release()),
  };
}

export interface FakeDeps extends HttpDeps {
  readonly registry: MutableRegistry;
  readonly control: FakeControl;
  readonly metrics: MetricsRegistry;
  readonly events: EventLog;
  /** What the server reported, in order. */
  readonly outcomes: RequestOutcome[];
  /** What the access log was told, in order. */
  readonly noted: { readonly requestId: string; readonly code: string }[];
  readonly logged: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[];
}

export function createFakeDeps(
  models: readonly FakeServedOptions[],
  options: Partial<HttpOptions> = {},
): FakeDeps {
  const registry = createRegistry();
  for (const model of models) registry.add(createFakeServed(model));
  const outcomes: RequestOutcome[] = [];
  const noted: FakeDeps['noted'] = [];
  const logged: FakeDeps['logged'] = [];
  const instruments: RequestInstruments = { begin() {}, end: (outcome) => outcomes.push(outcome) };
  const log: HttpDeps['log'] = {
    ...SILENT,
    level: 'info',
    error: (fields, message) => logged.push({ fields, message }),
  };
  const control = createFakeControl(registry);
  const metrics = createMetricsRegistry();
  const events = createEventLog({ clock: systemClock, log, sinks: [], isServed: () => true });
  return {
    registry,
    control,
    clock: systemClock,
    log,
    connectionRoom: createConnectionRoom({ clock: systemClock, log, maxConnections: undefined }),
    memoryRoom: createMemoryRoom({ clock: systemClock, log, ceilingBytes: undefined }),
    cluster: createCluster({ metrics, registry, control, log, events, slo: { read: () => [] } }),
    listen,
    tls: undefined,
    accessLog: { note: ({ code }, requestId) => noted.push({ requestId, code }) },
    instruments,
    metrics,
    events,
    options: { ...DEFAULT_HTTP_OPTIONS, ...options },
    version: '0.0.0-test',
    outcomes,
    noted,
    logged,
  };
}
