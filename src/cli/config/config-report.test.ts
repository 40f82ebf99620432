import { createColors } from 'picocolors';
import { expect, it } from 'vitest';
import { loadConfig } from '../../base/config/load-config.ts';
import { renderConfig, toConfigReport } from './config-report.ts';

it('shows each value beside its origin, and of a model what is its own', async () => {
  const config = await loadConfig({
    folder: '/nowhere',
    env: { NIMIFY_THREADS: '3', NIMIFY_OBJECTIVE: '0.05s', NIMIFY_HOTS: 'x' },
    flags: new Map([
      [
        'engine.providers',
        { value: [{ name: 'cuda', deviceId: 1 }], origin: { from: 'flag', name: '--providers' } },
      ],
    ]),
    paths: [{ path: 'a.onnx' }, { path: 'b\u001b.onnx', name: 'b' }],
  });
  const report = toConfigReport(config);
  expect(report.settings['defaults.engine.intraOpThreads']).toEqual({
    value: 3,
    origin: { from: 'env', name: 'NIMIFY_THREADS' },
  });
  expect(report.models[0]?.settings.timeoutMs).toEqual({ value: 30_000, origin: { from: 'default' } });
  const text = renderConfig(report, createColors(false));
  expect(text).toMatch(/^no configuration file\nserver\.host +127\.0\.0\.1 +default\n/);
  expect(text).toMatch(
    /^defaults\.engine\.providers +\[\{"name":"cuda","deviceId":1\}\] +flag --providers$/m,
  );
  expect(text).toMatch(/^defaults\.objective +p99 < 50ms +.*NIMIFY_OBJECTIVE/m);
  expect(text).toMatch(/^models\[1\] +b\\u001b\.onnx as b +command line\nwarning: NIMIFY_HOTS/m);
  expect(text).not.toMatch(/models\[\d\]\./);
});
