import { describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { ErrorCode } from '../../base/errors/table.ts';
import type { EventReport } from '../../base/telemetry/events.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { createFakeModel } from '../../model/fake-model.ts';
import type { ServedModel } from '../../registry/contract.ts';
import { ROWS_OF_FOUR, toFakeServed } from '../../registry/fake-served.ts';
import { createRegistry } from '../../registry/registry.ts';
import { createHealthMetrics } from './health-metrics.ts';
import { createSelfTests } from './self-tests.ts';

const ROW: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 4], data: new Float32Array(4) };

function failure(code: ErrorCode): NimifyError {
  return new NimifyError(code, 'failed');
}

function setUp({ isRequired = true, hasExample = true } = {}) {
  const clock = createFakeClock();
  const told: EventReport[] = [];
  let fails: ErrorCode | undefined;
  const model = createFakeModel({
    signature: ROWS_OF_FOUR,
    answer({ inputs }) {
      if (fails !== undefined) throw failure(fails);
      return inputs;
    },
  });
  const registry = createRegistry({ isRequired: () => isRequired, clock });
  const example = hasExample ? ({ inputs: [ROW], outputs: [ROW], origin: 'file' } as const) : undefined;
  const served: ServedModel = { ...toFakeServed(model), example };
  registry.add(served);
  const events = { report: (event: EventReport) => void told.push(event) };
  const selfTests = createSelfTests({ clock, log: SILENT, events, registry });
  const metrics = createMetricsRegistry();
  createHealthMetrics(metrics, registry);
  return {
    ...{ clock, told, model, registry, served, selfTests, metrics },
    setFailing(code: ErrorCode | undefined) {
      fails = code;
    },
    /** Lets the time pass, and what it starts end. */
    async pass(ms: number) {
      clock.advance(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('createSelfTests', () => {
  it('makes a model unready that fails its self-test twice, and ready again when it answers', async () => {
    const { selfTests, served, registry, setFailing, pass, told, metrics } = setUp();
    setFailing('ENGINE_FAILED');
    selfTests.noteFailure(served, failure('ENGINE_FAILED'));
    await pass(0);
    expect(registry.health()).toEqual({ state: 'ready', impaired: [] });
    await pass(500);
    expect(registry.health()).toEqual({ state: 'unready', impaired: ['fake'] });
    expect(metrics.render()).toContain('nimify_server_state{state="unready"} 1');
    expect(metrics.render()).toContain('nimify_model_state{model="fake",version="1",state="unready"} 1');
    setFailing(undefined);
    await pass(1000);
    expect(registry.health()).toEqual({ state: 'ready', impaired: [] });
    expect(metrics.render()).toContain('nimify_server_state{state="unready"} 0');
    expect(metrics.render()).toContain('nimify_model_state{model="fake",version="1",state="unready"} 0');
    expect(told.map(({ type }) => type)).toEqual(['model-degraded', 'model-recovered']);
  });

  it('leaves the server ready, but degraded, where the model is not required', async () => {
    const { selfTests, served, registry, setFailing, pass } = setUp({ isRequired: false });
    setFailing('ENGINE_CRASHED');
    selfTests.noteFailure(served, failure('ENGINE_CRASHED'));
    await pass(0);
    await pass(500);
    expect(registry.health()).toEqual({ state: 'degraded', impaired: ['fake'] });
    expect([registry.isReady(), registry.isModelReady(served)]).toEqual([true, false]);
  });

  it('tests with pauses that grow, however many requests fail', async () => {
    const { selfTests, served, model, pass } = setUp();
    for (let seconds = 0; seconds < 120; seconds++) {
      for (let i = 0; i < 10; i++) selfTests.noteFailure(served, failure('ENGINE_FAILED'));
      await pass(1000);
    }
    expect(model.requests.length).toBeGreaterThan(5);
    expect(model.requests.length).toBeLessThan(15);
    expect(model.contexts[0]).toMatchObject({ priority: 1, deadlineAtNs: 10e9 });
  });

  it('asks nothing for what is not the fault of the model, or where nothing is known that works', async () => {
    const { selfTests, served, model, pass } = setUp();
    for (const code of ['INVALID_INPUT', 'OVERLOADED', 'CANCELLED'] as const) {
      selfTests.noteFailure(served, failure(code));
    }
    await pass(1000);
    expect(model.requests).toHaveLength(0);
    const untested = setUp({ hasExample: false });
    untested.selfTests.noteFailure(untested.served, failure('ENGINE_FAILED'));
    await untested.pass(1000);
    expect(untested.model.requests).toHaveLength(0);
  });

  it('takes a refusal for want of room for neither, and asks again', async () => {
    const { selfTests, served, registry, setFailing, pass, model } = setUp();
    setFailing('OVERLOADED');
    selfTests.noteFailure(served, failure('DEADLINE_EXCEEDED'));
    for (let i = 0; i < 4; i++) await pass(5000);
    expect(model.requests.length).toBeGreaterThan(2);
    expect(registry.isReady()).toBe(true);
  });

  it('takes a model that its breaker leaves alone for one that does not answer, and looks again soon', async () => {
    const { selfTests, served, registry, setFailing, pass } = setUp();
    setFailing('CIRCUIT_OPEN');
    selfTests.noteFailure(served, failure('ENGINE_FAILED'));
    for (let i = 0; i < 20; i++) await pass(500);
    expect(registry.isReady()).toBe(false);
    setFailing(undefined);
    await pass(500);
    expect(registry.isReady()).toBe(true);
  });

  it('stops with a model that is gone, and with the server', async () => {
    const { selfTests, served, registry, setFailing, pass, clock } = setUp();
    setFailing('ENGINE_FAILED');
    selfTests.noteFailure(served, failure('ENGINE_FAILED'));
    registry.remove('fake', '1');
    await pass(0);
    expect(clock.pendingTimers).toBe(0);
    registry.add(served);
    await pass(60_000);
    selfTests.noteFailure(served, failure('ENGINE_FAILED'));
    selfTests.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
