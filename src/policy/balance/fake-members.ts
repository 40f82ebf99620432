import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { RequestContext } from '../../model/context.ts';
import { createFakeModel, type FakeModel } from '../../model/fake-model.ts';
import type { Member } from '../../model/member.ts';
import type { InferRequest, InferResponse } from '../../model/request.ts';

/** A run that is in flight on a member: the test says how it ends. */
export interface FakeRun {
  readonly request: InferRequest;
  readonly context: RequestContext;
  answer(response?: InferResponse): void;
  fail(code?: NimifyError['code']): void;
}

export interface FakeMember extends Member {
  readonly model: FakeModel;
  /** In flight, in the order in which they came. */
  readonly runs: FakeRun[];
  setReady(isReady: boolean): void;
}

/** A member with so many slots, whose answers the test gives. */
export function createFakeMember(name: string, slots = 1): FakeMember {
  const runs: FakeRun[] = [];
  let hears = () => {};
  let isReady = true;

  function end(run: FakeRun, settle: () => void): void {
    const at = runs.indexOf(run);
    if (at < 0) return;
    runs.splice(at, 1);
    settle();
    hears();
  }

  const model = createFakeModel({
    answer: (request, context) =>
      new Promise((resolve, reject) => {
        const run: FakeRun = {
          request,
          context,
          answer: (response) => end(run, () => resolve(response ?? [])),
          fail: (code = 'ENGINE_CRASHED') =>
            end(run, () => reject(new NimifyError(code, `by member ${name}`))),
        };
        runs.push(run);
      }),
  });
  return {
    name,
    model,
    runs,
    get hasRoom() {
      return isReady && runs.length < slots;
    },
    onRoom(listener) {
      hears = listener;
    },
    setReady(next) {
      isReady = next;
      model.setState(next ? 'ready' : 'degraded');
    },
  };
}
