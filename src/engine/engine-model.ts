import { invalidInput, NimifyError, toNimifyError } from '../base/errors/nimify-error.ts';
import type { Logger } from '../base/telemetry/log.ts';
import { createOwner } from '../base/tensor/owner.ts';
import { elementCount, type Tensor } from '../base/tensor/tensor.ts';
import type { CancelToken } from '../base/util/cancel.ts';
import type { Clock, Timer } from '../base/util/clock.ts';
import type { Artifact } from '../model/artifact.ts';
import type { RequestContext } from '../model/context.ts';
import type { Model, ModelState } from '../model/contract.ts';
import type { EngineInstance, Lease, RunRequest, RunResult } from '../model/engine.ts';
import type { InferRequest, InferResponse, Parameters } from '../model/request.ts';
import type { Signature } from '../model/signature.ts';

export interface EngineModelOptions {
  readonly artifact: Pick<Artifact, 'contentHash' | 'deterministic'>;
  readonly instance: EngineInstance;
  readonly name: string;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: the instance's, whose batch axis is inferred only. */
  readonly signature?: Signature;
  /** Told whenever a slot has become free that nobody waited for. */
  readonly onRoom?: () => void;
  /** Requests that may wait for a slot; further ones are refused with OVERLOADED. Default 1024. */
  readonly maxWaiting?: number;
}

const NO_PARAMETERS: Parameters = Object.freeze({});

/** A request on its way through: waiting, then running, and settled once, by whatever comes first. */
interface Ticket {
  readonly request: InferRequest;
  readonly context: RequestContext;
  readonly resolve: (response: InferResponse) => void;
  readonly reject: (error: NimifyError) => void;
  readonly onCancel: () => void;
  readonly sinceNs: number;
  deadline: Timer | undefined;
}

/**
 * The innermost Model: an engine's instance with a first-come, first-served line before its slots. A request
 * that is cancelled or whose deadline passes leaves the line at once. One that is cancelled while it runs is
 * answered at once too, but keeps its slot until the engine is done, and its result is dropped.
 */
export function createEngineModel(options: EngineModelOptions): Model {
  const { instance, name, version, clock, log, maxWaiting = 1024 } = options;
  const signature = options.signature ?? instance.signature;
  const deterministic = options.artifact.deterministic ?? true;
  const allOutputs = signature.outputs.map((spec) => spec.name);
  const listeners = new Set<(state: ModelState) => void>();
  const waiting = new Set<Ticket>(); // in order of arrival, and left from anywhere in constant time
  const running = new Set<Promise<void>>();
  let state: ModelState = stateOf(instance);
  /** Moving mean of what runs took lately, for Retry-After. */
  let recentRunNs = 0;
  let whenIdle: (() => void) | undefined;
  let closing: Promise<void> | undefined;

  instance.onFree(() => {
    if (state !== 'draining') setState(stateOf(instance));
    if (instance.health === 'failed') for (const ticket of waiting) refuse(ticket, notReady(name));
    dispatch();
  });

  function setState(next: ModelState): void {
    if (state === next) return;
    state = next;
    for (const listener of listeners) listener(next);
  }

  function dispatch(): void {
    for (const ticket of waiting) {
      const lease = instance.tryAcquire();
      if (lease === undefined) break;
      waiting.delete(ticket);
      start(ticket, lease);
    }
    if (waiting.size > 0) return;
    if (running.size === 0) whenIdle?.();
    options.onRoom?.();
  }

  function start(ticket: Ticket, lease: Lease): void {
    ticket.deadline?.cancel();
    const run = runTicket(ticket, lease);
    running.add(run);
    void run.then(() => {
      running.delete(run);
      lease.release();
    });
  }

  /** Never rejects: the ticket hears of failures. */
  async function runTicket(ticket: Ticket, lease: Lease): Promise<void> {
    const { request, context } = ticket;
    context.phases.queueNs = clock.nowNs() - ticket.sinceNs;
    let held = false;
    try {
      const result = instance.run(lease, toRunRequest(request), context.cancel);
      // Only now: a host that hands buffers over does so within `run`, as their only holder. From here on they
      // must outlive a caller that is answered early.
      request.owner.retain();
      held = true;
      settle(ticket, await result);
    } catch (thrown) {
      refuse(ticket, toNimifyError(thrown));
    } finally {
      if (held) request.owner.release();
    }
  }

  function settle(ticket: Ticket, result: RunResult): void {
    ticket.context.cancel.off(ticket.onCancel);
    ticket.resolve(respond(ticket.request, ticket.context, result));
  }

  function respond({ id }: InferRequest, { phases }: RequestContext, result: RunResult): InferResponse {
    const { outputs, computeNs, owner = createOwner() } = result;
    recentRunNs = recentRunNs === 0 ? computeNs : recentRunNs + (computeNs - recentRunNs) * 0.1;
    phases.computeNs = computeNs;
    const report = { cache: 'none', computeNs, cacheable: deterministic } as const;
    return { model: name, version, id, outputs, parameters: NO_PARAMETERS, report, owner };
  }

  function toRunRequest({ inputs, outputs, owner }: InferRequest): RunRequest {
    return {
      inputs: inOrder(signature, inputs),
      outputs: outputs?.length ? outputs : allOutputs,
      owner,
    };
  }

  function refuse(ticket: Ticket, error: NimifyError): void {
    ticket.deadline?.cancel();
    ticket.context.cancel.off(ticket.onCancel);
    waiting.delete(ticket);
    ticket.reject(error);
  }

  function enter(request: InferRequest, context: RequestContext): Promise<InferResponse> {
    return new Promise((resolve, reject) => {
      const sinceNs = clock.nowNs();
      const onCancel = () => refuse(ticket, cancelled(context.cancel));
      const ticket: Ticket = { request, context, resolve, reject, onCancel, sinceNs, deadline: undefined };
      context.cancel.on(onCancel);
      const lease = waiting.size === 0 ? instance.tryAcquire() : undefined;
      if (lease !== undefined) {
        start(ticket, lease);
        return;
      }
      if (waiting.size >= maxWaiting) {
        refuse(ticket, overloaded(waiting.size, retryAfterMs()));
        return;
      }
      if (Number.isFinite(context.deadlineAtNs)) {
        const expire = () => refuse(ticket, deadlineExceeded(clock.nowNs() - sinceNs));
        ticket.deadline = clock.setTimer(expire, (context.deadlineAtNs - sinceNs) / 1e6);
      }
      waiting.add(ticket);
    });
  }

  /** Why a request does not even come to the line; undefined: it may. */
  function refusalOf({ inputs }: InferRequest, { cancel, deadlineAtNs }: RequestContext) {
    if (state === 'draining' || state === 'failed') return notReady(name);
    if (cancel.cancelled) return cancelled(cancel);
    if (deadlineAtNs !== Number.POSITIVE_INFINITY && deadlineAtNs <= clock.nowNs())
      return deadlineExceeded(0);
    return emptyAgainst(signature, inputs);
  }

  /** Past nobody: not while others wait. It begins and ends within this call, so draining never meets it. */
  function inferNow(request: InferRequest, context: RequestContext): InferResponse | undefined {
    const refusal = refusalOf(request, context);
    if (refusal !== undefined) throw refusal;
    if (waiting.size > 0) return undefined;
    try {
      const result = instance.runNow?.(toRunRequest(request));
      return result && respond(request, context, result);
    } catch (thrown) {
      throw toNimifyError(thrown);
    }
  }

  /** When the line that stands now will have been served. */
  function retryAfterMs(): number {
    return Math.max(1, Math.ceil((waiting.size * recentRunNs) / instance.slots / 1e6));
  }

  async function close(graceMs: number): Promise<void> {
    setState('draining');
    const idle = new Promise<void>((resolve) => {
      whenIdle = resolve;
      if (waiting.size === 0 && running.size === 0) resolve();
    });
    const inTime = await within(clock, graceMs, idle);
    for (const ticket of waiting) refuse(ticket, notReady(name));
    if (!inTime)
      log.warn({ model: name, version, graceMs }, 'a run outlasts the grace period; not waiting for it');
    if (!inTime) instance.kill?.();
    const drained = instance.drain();
    if (inTime || instance.kill !== undefined) await drained;
    else drained.catch((err) => log.error({ model: name, version, err }, 'the engine did not close cleanly'));
  }

  return {
    kind: 'engine',
    name,
    version,
    revision: options.artifact.contentHash,
    signature,
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    deterministic,
    varies: [],
    inner: [],
    infer(request, context) {
      const refusal = refusalOf(request, context);
      return refusal === undefined ? enter(request, context) : Promise.reject(refusal);
    },
    ...(instance.runNow === undefined ? {} : { inferNow }),
    close({ graceMs }) {
      closing ??= close(graceMs);
      return closing;
    },
  };
}

function stateOf({ health }: EngineInstance): ModelState {
  return health;
}

/** Here, and not where requests are checked: inputs that another model made come past no check but this one. */
function emptyAgainst(
  { operatorAgainstEmpty: operator, inputs: specs }: Signature,
  inputs: readonly Tensor[],
): NimifyError | undefined {
  if (operator === undefined) return undefined;
  // A dimension that the model itself fixes at 0 has passed its self-test.
  const isFixed = (name: string) => specs.some((spec) => spec.name === name && spec.shape.includes(0));
  const at = inputs.findIndex(({ name, shape }) => elementCount(shape) === 0 && !isFixed(name));
  if (at < 0) return undefined;
  const where = `inputs[${at}].shape`;
  const got = `[${inputs[at]!.shape.join(',')}]`;
  return invalidInput(
    `${where}: expected at least one element, got ${got}; the model's operator ${operator} does not take empty tensors`,
    { where, expected: 'at least one element', got },
  );
}

/** In the order of the signature, as engines get them; mostly they came so. */
function inOrder(signature: Signature, inputs: readonly Tensor[]): readonly Tensor[] {
  for (let at = 0; at < inputs.length; at++) {
    if (inputs[at]!.name !== signature.inputs[at]?.name) return sorted(signature, inputs);
  }
  return inputs;
}

function sorted(signature: Signature, inputs: readonly Tensor[]): readonly Tensor[] {
  return signature.inputs.flatMap((spec) => inputs.find((input) => input.name === spec.name) ?? []);
}

async function within(clock: Clock, limitMs: number, done: Promise<void>): Promise<boolean> {
  let timer: Timer | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = clock.setTimer(() => resolve(false), limitMs);
  });
  const inTime = await Promise.race([done.then(() => true), late]);
  timer?.cancel();
  return inTime;
}

function cancelled({ reason }: CancelToken): NimifyError {
  if (reason === 'deadline')
    return new NimifyError('DEADLINE_EXCEEDED', 'The deadline passed before the answer');
  const why = reason === 'shutdown' ? 'the server is shutting down' : 'the client left';
  return new NimifyError('CANCELLED', `The request was cancelled: ${why}`);
}

function deadlineExceeded(waitedNs: number): NimifyError {
  const waited = `${Math.round(waitedNs / 1e6)} ms`;
  return new NimifyError(
    'DEADLINE_EXCEEDED',
    `The deadline passed after ${waited} of waiting for a free slot`,
  );
}

function overloaded(waiting: number, retryAfterMs: number): NimifyError {
  const message = `${waiting} requests are waiting already; try again in ${retryAfterMs} ms`;
  return new NimifyError('OVERLOADED', message, { retryAfterMs });
}

function notReady(name: string): NimifyError {
  return new NimifyError('MODEL_NOT_READY', `Model '${name}' takes no requests now; try again shortly`);
}
