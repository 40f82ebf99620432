import { describe, expect, it } from 'vitest';
import { createRequestInstruments } from './instruments.ts';
import { createMetricsRegistry } from './metrics-registry.ts';
import type { RequestOutcome } from './request-instruments.ts';

const OUTCOME: RequestOutcome = {
  model: 'iris',
  version: '1',
  route: '/v2/models/{model}/infer',
  code: 'OK',
  totalNs: 3e6,
  decodeNs: 1e6,
  queueNs: 0,
  computeNs: 1.5e6,
  encodeNs: 5e5,
};

function setUp() {
  const metrics = createMetricsRegistry();
  return { metrics, instruments: createRequestInstruments(metrics) };
}

describe('createRequestInstruments', () => {
  it('counts by model, version, route and code', () => {
    const { metrics, instruments } = setUp();
    for (const code of ['OK', 'OK', 'INVALID_INPUT'] as const) {
      instruments.begin();
      instruments.end({ ...OUTCOME, code });
    }
    const text = metrics.render();
    const at = 'model="iris",version="1",route="/v2/models/{model}/infer"';
    expect(text).toContain(`nimify_requests_total{${at},code="OK"} 2\n`);
    expect(text).toContain(`nimify_requests_total{${at},code="INVALID_INPUT"} 1\n`);
    expect(text).toContain(`nimify_request_duration_seconds_count{${at}} 3\n`);
  });

  it('measures phases in seconds, shared by all routes of a model', () => {
    const { metrics, instruments } = setUp();
    instruments.end(OUTCOME);
    instruments.end({ ...OUTCOME, route: '/v1/predict' });
    const text = metrics.render();
    const phase = (name: string) =>
      `nimify_request_phase_duration_seconds_sum{model="iris",version="1",phase="${name}"}`;
    expect(text).toContain(`${phase('decode')} 0.002\n`);
    expect(text).toContain(`${phase('queue')} 0\n`);
    expect(text).toContain(`${phase('compute')} 0.003\n`);
    expect(text).toContain(`${phase('encode')} 0.001\n`);
    expect(text).toContain('phase="queue",le="0.00005"} 2\n');
  });

  it('leaves phases out that a failed request never reached', () => {
    const { metrics, instruments } = setUp();
    instruments.end({ ...OUTCOME, code: 'INVALID_INPUT', computeNs: 0, encodeNs: 0 });
    const text = metrics.render();
    expect(text).toContain(
      'nimify_request_phase_duration_seconds_count{model="iris",version="1",phase="decode"} 1\n',
    );
    expect(text).toContain(
      'nimify_request_phase_duration_seconds_count{model="iris",version="1",phase="compute"} 0\n',
    );
  });

  it('shows what is in flight', () => {
    const { metrics, instruments } = setUp();
    instruments.begin();
    instruments.begin();
    instruments.end(OUTCOME);
    expect(metrics.render()).toContain('nimify_requests_in_flight 1\n');
  });

  it('keeps no version for a request that named no served model', () => {
    const { metrics, instruments } = setUp();
    for (let n = 0; n < 20; n += 1) {
      instruments.end({ ...OUTCOME, model: '', version: `made-up-${n}`, code: 'MODEL_NOT_FOUND' });
    }
    const lines = metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith('nimify_requests_total{'));
    expect(lines).toEqual([
      'nimify_requests_total{model="",version="",route="/v2/models/{model}/infer",code="MODEL_NOT_FOUND"} 20',
    ]);
  });
});
