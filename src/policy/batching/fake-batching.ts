import type { NimifyError } from '../../base/errors/nimify-error.ts';
import { createCancelSource } from '../../base/util/cancel.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../../model/context.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';
import { createBatching } from './batching.ts';
import type { BatchingOptions, BatchingRefusal } from './contract.ts';
import { createFakeBackend, type ROW_SIGNATURE } from './fake-backend.ts';
import { createFakeCosts } from './fake-costs.ts';

/** Test support: a batcher with known costs over a fake backend. 10 ms a run and 1 ms a row: 11 for a run of one. */
const FIXED_NS = 10e6;
const PER_ROW_NS = 1e6;

interface Given extends Partial<BatchingOptions> {
  readonly tail?: number;
  readonly isInline?: boolean;
  readonly runNs?: (rows: number) => number;
  readonly signature?: typeof ROW_SIGNATURE;
}

/** One slot, runs of at most 8 rows, and no window, unless something else is given. */
export function setUp({ tail = 1, isInline = false, runNs, signature, ...options }: Given = {}) {
  const clock = createFakeClock();
  const costs = createFakeCosts({ fixedNs: FIXED_NS, perRowNs: PER_ROW_NS, tail });
  const backend = createFakeBackend(clock, runNs ?? ((rows) => FIXED_NS + PER_ROW_NS * rows), {
    isInline,
    ...(signature === undefined ? {} : { signature }),
  });
  const told: BatchingRefusal[] = [];
  const ran: [number, number][] = [];
  const instruments = {
    ran: (rows: number, requests: number) => void ran.push([rows, requests]),
    refused: (why: BatchingRefusal) => void told.push(why),
  };
  const soon = (callback: () => void) => void clock.setTimer(callback, 0);
  const deps = { clock, costs, instruments, soon, timerStepNs: 0 };
  const model = createBatching(deps, { slots: 1, maxBatchRows: 8, maxDelayMs: 0, ...options })(backend);

  /** Asks, and notes what comes of it and when. */
  function ask(request: InferRequest, fields: Partial<RequestContext> = {}) {
    const context = createContext({ cancel: createCancelSource(), ...fields });
    const asked = {
      request,
      context,
      response: undefined as InferResponse | undefined,
      error: undefined as NimifyError | undefined,
      atMs: Number.NaN,
    };
    model.infer(request, context).then(
      (response) => Object.assign(asked, { response, atMs: clock.nowNs() / 1e6 }),
      (error: NimifyError) => Object.assign(asked, { error, atMs: clock.nowNs() / 1e6 }),
    );
    return asked;
  }

  return { clock, costs, backend, model, ask, told, ran, inMs: (ms: number) => clock.nowNs() + ms * 1e6 };
}
