import { describe, expect, it } from 'vitest';
import type { EventReport } from '../../base/telemetry/events.ts';
import { createMetricsRegistry } from '../../base/telemetry/metrics-registry.ts';
import { type ServersBefore, tellRestart } from './server-restart.ts';

function tell(before: ServersBefore | undefined) {
  const metrics = createMetricsRegistry();
  const told: EventReport[] = [];
  tellRestart(before, { metrics, events: { report: (event) => void told.push(event) } });
  return { told, text: metrics.render() };
}

describe('tellRestart', () => {
  it('says how the server before ended, and counts', () => {
    const { told, text } = tell({ count: 2, ended: { code: null, signal: 'SIGABRT' } });
    expect(told).toMatchObject([
      {
        type: 'server-restarted',
        message: expect.stringContaining('SIGABRT'),
        details: { restarts: 2, ended: 'SIGABRT' },
      },
    ]);
    expect(text).toContain('nimify_server_restarts_total 2\n');
    expect(tell({ count: 1, ended: { code: 134, signal: null } }).told[0]?.message).toContain(
      'exit code 134',
    );
  });

  it('tells nothing of the first, and counts nothing where nobody watches', () => {
    expect(tell({ count: 0 })).toMatchObject({
      told: [],
      text: expect.stringContaining('nimify_server_restarts_total 0\n'),
    });
    expect(tell(undefined)).toEqual({ told: [], text: tell(undefined).text });
    expect(tell(undefined).text).not.toContain('restarts');
  });
});
