import type { Tensor } from '../base/tensor/tensor.ts';
import type { CancelToken } from '../base/util/cancel.ts';
import type { Engine, EngineInstance, EngineOptions, InstanceHealth, Lease, RunRequest } from './engine.ts';
import type { Signature } from './signature.ts';

export interface FakeEngineInstanceOptions {
  readonly signature: Signature;
  /** Default 1. */
  readonly slots?: number;
  /** What a run gives. Default: the inputs, cut to as many outputs as are wanted and named after them. */
  readonly run?: (request: RunRequest, cancel: CancelToken) => readonly Tensor[] | Promise<readonly Tensor[]>;
  /** What every run reports as its time. Default 1000. */
  readonly computeNs?: number;
  /** What a run gives that is done at once; undefined: not this one. Default: there is no such way. */
  readonly runNow?: (request: RunRequest) => readonly Tensor[] | undefined;
}

export interface FakeEngineInstance extends EngineInstance {
  readonly runs: readonly RunRequest[];
  readonly drained: boolean;
  setHealth(health: InstanceHealth): void;
}

/** An EngineInstance whose answers the test gives: slots, leases and draining behave as the contract says. */
export function createFakeEngineInstance(options: FakeEngineInstanceOptions): FakeEngineInstance {
  const { signature, slots = 1, runNow, computeNs = 1000 } = options;
  const free = Array.from({ length: slots }, (_, slot) => slot);
  const runs: RunRequest[] = [];
  const running = new Set<Promise<unknown>>();
  let listener: (() => void) | undefined;
  let drained = false;
  let health: InstanceHealth = 'ready';

  return {
    host: 'inline',
    hostReason: 'inline: a fake',
    signature,
    slots,
    memoryBytes: 0,
    runs,
    get health() {
      return health;
    },
    get drained() {
      return drained;
    },
    setHealth(next) {
      health = next;
      listener?.();
    },
    onFree(hears) {
      listener = hears;
    },
    tryAcquire(): Lease | undefined {
      if (health === 'failed') return undefined;
      const slot = free.shift();
      if (slot === undefined) return undefined;
      let held = true;
      return {
        slot,
        release() {
          if (!held) throw new Error(`slot ${slot} released twice`);
          held = false;
          free.push(slot);
          listener?.();
        },
      };
    },
    async run(_lease, request, cancel) {
      runs.push(request);
      const answer = Promise.resolve(options.run?.(request, cancel) ?? echo(request));
      running.add(answer);
      try {
        return { outputs: await answer, computeNs };
      } finally {
        running.delete(answer);
      }
    },
    ...(runNow === undefined
      ? {}
      : {
          runNow(request: RunRequest) {
            const outputs = free.length === 0 || health === 'failed' ? undefined : runNow(request);
            if (outputs === undefined) return undefined;
            runs.push(request);
            return { outputs, computeNs };
          },
        }),
    async drain() {
      await Promise.allSettled(running);
      drained = true;
    },
  };
}

function echo(request: RunRequest): readonly Tensor[] {
  return request.outputs.flatMap((name, index) => {
    const input = request.inputs[index];
    return input === undefined ? [] : [{ ...input, name }];
  });
}

/** An Engine that gives this instance for every artifact; `loads` tells with which options. */
export function createFakeEngine(
  instance: EngineInstance,
): Engine & { readonly loads: readonly EngineOptions[] } {
  const loads: EngineOptions[] = [];
  return {
    name: 'fake',
    loads,
    async load(_artifact, options) {
      loads.push(options);
      return instance;
    },
  };
}
