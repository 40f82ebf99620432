import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICIES, type PolicyChoices } from '../base/config/policies.ts';
import { SILENT } from '../base/telemetry/log.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import { createContext } from '../model/context.ts';
import type { Policy } from '../model/contract.ts';
import { createFakeModel } from '../model/fake-model.ts';
import { createInferRequest } from '../model/request.ts';
import { createAdmission } from '../policy/admission/admission.ts';
import { createDeadline } from '../policy/deadline/deadline.ts';
import { createQuarantine } from '../policy/quarantine/quarantine.ts';
import { breakerOf, fallbackOf, joinMembersOf, type PolicyDeps, retryOf } from './policies.ts';

const SUBJECT = { name: 'fake', version: '1', revision: 'abc' };

function setUp() {
  const clock = createFakeClock();
  const find = () => createFakeModel();
  const deps: PolicyDeps = { clock, log: SILENT, circuits: new Map(), find };
  return { clock, deps };
}

describe('policies', () => {
  it.each(['inline', 'thread', 'native'] as const)('are none by default on the host %s', (host) => {
    const { deps } = setUp();
    expect(breakerOf(DEFAULT_POLICIES, host, SUBJECT, deps)).toBeUndefined();
    expect(retryOf(DEFAULT_POLICIES, host, deps)).toBeUndefined();
    expect(joinMembersOf(DEFAULT_POLICIES, host, SUBJECT, deps)).toBeUndefined();
    expect(fallbackOf(DEFAULT_POLICIES, createFakeModel(), deps)).toBeUndefined();
  });

  it('answer at once what the model answers at once, all of them together', () => {
    const { clock, deps } = setUp();
    const choices: PolicyChoices = {
      ...DEFAULT_POLICIES,
      breaker: 'on',
      retry: 'on',
      fallback: [{ model: 'other' }],
    };
    const model = createFakeModel({ answerNow: () => [] });
    const policies: readonly (Policy | undefined)[] = [
      createQuarantine({ clock, events: { report() {} }, onRefused() {} }),
      createAdmission({ clock }, { minLimit: () => 1 }),
      breakerOf(choices, 'inline', SUBJECT, deps)?.policy,
      retryOf(choices, 'inline', deps),
      fallbackOf(choices, model, deps),
      createDeadline({ clock }, { defaultTimeoutMs: 1000 }),
    ];
    const wrapped = policies.reduce((inner, policy) => policy!(inner), model as ReturnType<Policy>);
    const request = createInferRequest({ model: 'fake', inputs: [] });
    expect(wrapped.inferNow?.(request, createContext({}))).toMatchObject({ model: 'fake', outputs: [] });
    expect(model.requests).toEqual([request]);
    expect(clock.pendingTimers).toBe(0);
  });
});
