import type { Clock } from '../../base/util/clock.ts';
import type { Model, ModelState, Policy } from '../../model/contract.ts';
import { withOpenRows } from '../../model/fixed-rows.ts';
import type { InferRequest } from '../../model/request.ts';
import { createArrivals } from './arrivals.ts';
import { createBatcher } from './batcher.ts';
import type { Arrivals, BatchingInstruments, BatchingOptions, CostModel } from './contract.ts';
import { createInOrder } from './in-order.ts';

export interface BatchingDeps {
  readonly clock: Clock;
  readonly costs: CostModel;
  /** Default: learned from none. */
  readonly arrivals?: Arrivals;
  readonly instruments?: BatchingInstruments;
  /** Calls back when the event loop has seen to what came in. Default `setImmediate`. */
  readonly soon?: (callback: () => void) => void;
  /** What waits less is not worth a timer, and waits for `soon`. Default a millisecond, as fine as Node's timers are. */
  readonly timerStepNs?: number;
}

const NODE_TIMER_STEP_NS = 1e6;

/**
 * Puts requests that wait together: the rows of several are run as one batch, and each gets its own rows of the answer,
 * as if it had been run by itself. Who waits is served by deadline and priority; who could not be answered in time is
 * refused at once. With a free slot and nothing to gain by waiting, a request passes on as it is.
 *
 * Over a model whose batch axis is not proven, or with `maxBatchRows` 1, nothing is joined; the rest holds all the same.
 * Sequences and requests without rows are never joined.
 */
export function createBatching(deps: BatchingDeps, options: BatchingOptions): Policy {
  const { clock, costs, instruments, timerStepNs = NODE_TIMER_STEP_NS } = deps;
  const soon = deps.soon ?? ((callback: () => void) => void setImmediate(callback));
  const arrivals = deps.arrivals ?? createArrivals();

  return (model) => {
    const batcher = createBatcher({ model, clock, costs, arrivals, instruments, soon, timerStepNs }, options);
    const inOrder = options.preserveOrder === true ? createInOrder() : undefined;
    const closing = createClosing(model);

    async function close(graceMs: number): Promise<void> {
      closing.begin();
      const fromNs = clock.nowNs();
      await batcher.drain(graceMs);
      await model.close({ graceMs: Math.max(0, graceMs - (clock.nowNs() - fromNs) / 1e6) });
    }

    let closed: Promise<void> | undefined;
    return {
      kind: 'batching',
      name: model.name,
      version: model.version,
      ...(model.revision === undefined ? {} : { revision: model.revision }),
      signature: options.paddedRows === undefined ? model.signature : withOpenRows(model.signature),
      get state() {
        return closing.state;
      },
      onState: closing.onState,
      deterministic: model.deterministic,
      varies: model.varies,
      inner: [model],
      infer:
        inOrder === undefined
          ? batcher.infer
          : (request, context) => inOrder.follow(batcher.infer(request, context)),
      ...(model.inferNow === undefined
        ? {}
        : {
            inferNow: (request: InferRequest, context) =>
              inOrder === undefined || inOrder.isEmpty ? batcher.inferNow(request, context) : undefined,
          }),
      // In order nobody hears before those who came earlier have heard.
      ...(model.inferNow !== undefined || inOrder !== undefined ? {} : { turnAway: batcher.turnAway }),
      close({ graceMs }) {
        closed ??= close(graceMs);
        return closed;
      },
    };
  };
}

/** The model's own state, until this policy begins to drain. */
function createClosing(model: Model) {
  const listeners = new Set<(state: ModelState) => void>();
  let isDraining = false;
  model.onState((state) => {
    if (!isDraining) for (const listener of listeners) listener(state);
  });
  return {
    get state(): ModelState {
      return isDraining ? 'draining' : model.state;
    },
    onState(listener: (state: ModelState) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    begin() {
      isDraining = true;
      for (const listener of listeners) listener('draining');
    },
  };
}
