import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICIES, type PolicyChoices } from '../base/config/policies.ts';
import { NimifyError } from '../base/errors/nimify-error.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createOwner } from '../base/tensor/owner.ts';
import { createCancelSource } from '../base/util/cancel.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createContext, type RequestContext } from '../model/context.ts';
import type { Model } from '../model/contract.ts';
import { createFakeModel } from '../model/fake-model.ts';
import type { Member } from '../model/member.ts';
import { createInferRequest, type InferResponse } from '../model/request.ts';
import { breakerOf, fallbackOf, joinMembersOf, type PolicyDeps, retryOf } from './policies.ts';

const SUBJECT = { name: 'fake', version: '1', revision: 'abc' };
const CHOICES: PolicyChoices = {
  ...DEFAULT_POLICIES,
  hedge: { share: 0.5, minDelayMs: 1 },
  retry: { maxTries: 3, baseDelayMs: 5 },
  fallback: [{ model: 'other' }],
};

/** What a run on a member comes to. */
const fate = fc.record({
  ms: fc.integer({ min: 1, max: 60 }),
  ends: fc.constantFrom('answer', 'answer', 'answer', 'crash', 'fail', 'refuse'),
});
const client = fc.record({
  pauseMs: fc.integer({ min: 0, max: 8 }),
  leavesAfterMs: fc.option(fc.integer({ min: 1, max: 80 }), { freq: 4 }),
});

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the policies of a model together', () => {
  it('answer every request once, and keep nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fate, { minLength: 1, maxLength: 40 }),
        fc.array(client, { maxLength: 60 }),
        async (fates, clients) => {
          const clock = createFakeClock();
          const living = new Set<object>();
          let runs = 0;

          function run(_context: RequestContext): Promise<InferResponse> {
            const { ms, ends } = fates[runs++ % fates.length]!;
            return new Promise((resolve, reject) => {
              clock.setTimer(() => {
                if (ends === 'crash') reject(new NimifyError('ENGINE_CRASHED', 'crashed'));
                else if (ends === 'fail') reject(new NimifyError('ENGINE_FAILED', 'failed'));
                else if (ends === 'refuse') reject(new NimifyError('INVALID_INPUT', 'wrong'));
                else resolve(response());
              }, ms);
            });
          }

          function response(): InferResponse {
            const key = {};
            living.add(key);
            return {
              ...{ model: 'fake', version: '1', id: '', outputs: [], parameters: {} },
              report: { cache: 'none', computeNs: 0, cacheable: true },
              owner: createOwner(() => void living.delete(key)),
            };
          }

          const members = [0, 1, 2].map((index) => toMember(String(index), run));
          const other = createFakeModel({ name: 'other', answer: () => response() });
          const deps: PolicyDeps = { clock, log: SILENT, circuits: new Map(), find: () => other };
          const joined = joinMembersOf(CHOICES, 'process', SUBJECT, deps)!(members as [Member, Member]);
          const guarded = breakerOf(CHOICES, 'process', SUBJECT, deps)!.policy(joined);
          const retried = retryOf(CHOICES, 'process', deps)!(guarded);
          const model: Model = fallbackOf(CHOICES, retried, deps)!(retried);

          const owners: { readonly holders: number }[] = [];
          let ended = 0;
          for (const { pauseMs, leavesAfterMs } of clients) {
            const owner = createOwner();
            owners.push(owner);
            const cancel = createCancelSource();
            if (leavesAfterMs !== undefined && leavesAfterMs !== null)
              clock.setTimer(() => cancel.cancel('client-left'), leavesAfterMs);
            model
              .infer(createInferRequest({ model: 'fake', inputs: [], owner }), createContext({ cancel }))
              .then(
                (answer) => {
                  ended += 1;
                  answer.owner.release();
                },
                () => {
                  ended += 1;
                },
              );
            clock.advance(pauseMs);
            await settled();
          }
          for (let turn = 0; turn < 400 && (ended < clients.length || clock.pendingTimers > 0); turn++) {
            clock.advance(50);
            await settled();
          }
          expect(ended).toBe(clients.length);
          expect(living.size).toBe(0);
          expect(owners.every(({ holders }) => holders === 1)).toBe(true);
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});

/** Keeps its slot until the run has ended, however early its caller was answered. */
function toMember(name: string, run: (context: RequestContext) => Promise<InferResponse>): Member {
  let isBusy = false;
  let hears = () => {};
  const model = createFakeModel({
    answer: async (_, context) => {
      isBusy = true;
      const ending = run(context).finally(() => {
        isBusy = false;
        hears();
      });
      const left = new Promise<never>((_resolve, reject) => {
        context.cancel.on(() => reject(new NimifyError('CANCELLED', 'left')));
      });
      return Promise.race([ending, left]).catch((failure) => {
        ending.then(
          ({ owner }) => owner.release(),
          () => {},
        );
        throw failure;
      });
    },
  });
  return {
    name,
    model,
    get hasRoom() {
      return !isBusy;
    },
    onRoom(listener) {
      hears = listener;
    },
  };
}
