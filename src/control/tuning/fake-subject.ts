import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Clock } from '../../base/util/clock.ts';
import type { Model } from '../../model/contract.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import { createInferRequest } from '../../model/request.ts';
import type { Batching, Plan, Subject } from './contract.ts';

export interface FakeSubjectOptions {
  readonly clock: Clock;
  /** Time of a run of so many rows. */
  readonly runMs: (plan: Plan, rows: number) => number;
  readonly isBatchable?: boolean;
  readonly memoryBytes?: number;
  readonly paddedRows?: number;
  /** Requests that may wait; further ones are refused. Default: any. */
  readonly maxWaiting?: number;
  /** Plans that cannot be loaded. */
  readonly refuse?: (plan: Plan) => boolean;
}

export interface FakeSubject extends Subject {
  readonly opened: readonly Plan[];
  /** Plans that are open now. */
  readonly openNow: number;
}

/** A model that takes time on a fake clock, behind the simplest batcher that there can be. */
export function createFakeSubject(options: FakeSubjectOptions): FakeSubject {
  const { clock, isBatchable = true, memoryBytes = 1e8 } = options;
  const opened: Plan[] = [];
  let open = 0;
  return {
    opened,
    get openNow() {
      return open;
    },
    async open(plan) {
      if (options.refuse?.(plan)) throw new NimifyError('ENGINE_FAILED', 'no more memory');
      opened.push(plan);
      open += 1;
      return {
        batchAxis: {
          isBatchable,
          reason: isBatchable ? 'rows are independent' : 'rows influence each other',
        },
        slots: plan.instances,
        ...(options.paddedRows === undefined ? {} : { paddedRows: options.paddedRows }),
        memoryBytes: memoryBytes * plan.instances,
        request: createInferRequest({ model: 'm', inputs: [] }),
        batched: (batching) => batched(plan, batching, options),
        async close() {
          open -= 1;
        },
      };
    },
  };

  function batched(plan: Plan, batching: Batching, { runMs, maxWaiting = 1e9 }: FakeSubjectOptions): Model {
    const [mostRows, delayMs] =
      batching === 'off'
        ? [1, 0]
        : batching === 'auto'
          ? [8, 0]
          : [batching.maxBatchSize, batching.maxDelayMs];
    const waiting: ((outputs: []) => void)[] = [];
    let free = plan.instances;
    let isWindowOpen = false;

    function dispatch(isDue: boolean): void {
      while (free > 0 && waiting.length > 0) {
        if (!isDue && delayMs > 0 && waiting.length < mostRows) {
          if (!isWindowOpen) {
            isWindowOpen = true;
            clock.setTimer(() => {
              isWindowOpen = false;
              dispatch(true);
            }, delayMs);
          }
          return;
        }
        const members = waiting.splice(0, mostRows);
        free -= 1;
        clock.setTimer(
          () => {
            free += 1;
            for (const answer of members) answer([]);
            dispatch(false);
          },
          runMs(plan, members.length),
        );
      }
    }

    return createFakeModel({
      answer() {
        if (waiting.length >= maxWaiting) {
          return Promise.reject(new NimifyError('OVERLOADED', 'too many', { retryAfterMs: 5 }));
        }
        return new Promise<[]>((resolve) => {
          waiting.push(resolve);
          dispatch(false);
        });
      },
    });
  }
}
