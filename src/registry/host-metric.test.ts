import { expect, it } from 'vitest';
import { createMetricsRegistry } from '../base/telemetry/metrics-registry.ts';
import type { ServedModel } from './contract.ts';
import { createHostMetric } from './host-metric.ts';

it('tells the host of each model, and 0 for one that it has left', () => {
  const metrics = createMetricsRegistry();
  const served = (name: string, host?: string) =>
    ({ name, version: '1', notes: host === undefined ? {} : { host } }) as unknown as ServedModel;
  let list = [served('a', 'native: a run takes 5 µs'), served('b', 'process: configured'), served('c')];
  createHostMetric(metrics, { list: () => list });
  const lines = () =>
    metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith('nimify_model_host{'));
  expect(lines()).toEqual([
    'nimify_model_host{model="a",version="1",host="native"} 1',
    'nimify_model_host{model="b",version="1",host="process"} 1',
  ]);
  list = [served('a', 'thread: configured')];
  expect(lines()).toEqual([
    'nimify_model_host{model="a",version="1",host="native"} 0',
    'nimify_model_host{model="b",version="1",host="process"} 0',
    'nimify_model_host{model="a",version="1",host="thread"} 1',
  ]);
});
