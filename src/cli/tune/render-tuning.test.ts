import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Batching, Point, Setting } from '../../control/tuning/contract.ts';
import type { Tuning } from '../../control/tuning/tune-model.ts';
import { styleFor } from '../style.ts';
import { renderTuning, tuningFacts } from './render-tuning.ts';
import type { TuneTask } from './task.ts';

const task: TuneTask = {
  path: 'a.onnx',
  model: { found: { name: 'a', version: '1', path: resolve('a.onnx'), alone: true }, path: 'a.onnx' },
  machine: { cores: 4, memoryBytes: 2 ** 34 },
  objective: { percentile: 95, latencyMs: 20 },
  target: 'throughput',
};

const settingOf = (batching: Batching): Setting => ({
  plan: { host: 'thread', instances: 4, intraOpThreads: 1 },
  batching,
});

function point(throughputPerS: number, asked: number, batching: Batching, clients: number): Point {
  return {
    ...{ setting: settingOf(batching), load: { kind: 'closed', clients } },
    ...{ answers: 100, refused: 0, throughputPerS, memoryBytes: 52e6 },
    latencyMs: { p50: asked / 2, p99: asked * 2, asked },
  };
}

const best = point(1234.5, 19, { maxBatchSize: 8, maxDelayMs: 0.5 }, 64);
const TUNING: Tuning = {
  points: [],
  frontier: [point(98.76, 2, 'off', 1), best],
  chosen: { setting: best.setting, latencyMs: 2.5, best },
  verified: [
    { ...point(1, 30, 'off', 1), load: { kind: 'open', perSecond: 987.6 }, answers: 97, refused: 3 },
    { ...point(1, 12, 'off', 1), load: { kind: 'open', perSecond: 802.4 } },
  ],
  closest: best,
  unbatchable: undefined,
  isCut: false,
  leftOut: [],
};

const render = (tuning: Partial<Tuning>, written?: { file: string; wasListed: boolean }) =>
  renderTuning(task, { ...TUNING, ...tuning }, written, styleFor({}));

describe('renderTuning', () => {
  it('shows the frontier, the choice, what it bears, and what to do next', () => {
    expect(render({}, { file: 'nimify.yaml', wasListed: true })).toBe(
      [
        'a.onnx: 4 cores, p95 < 20ms, for throughput',
        '',
        '   runs on        batching        clients  answers/s      p50      p95  memory',
        '   thread, 4 x 1  off                   1       98.8  1.00 ms  2.00 ms   52 MB',
        '*  thread, 4 x 1  8 rows, 0.5 ms       64       1235  9.50 ms  19.0 ms   52 MB',
        '',
        'chosen (*): thread, 4 x 1 threads; batching 8 rows, 0.5 ms',
        'with 988 requests/s by chance: p50 15.0 ms, p95 30.0 ms, 3.0 % refused',
        'with 802 requests/s by chance: p50 6.00 ms, p95 12.0 ms, none refused',
        'wrote nimify.yaml for a.onnx',
        'next: nimify serve --config nimify.yaml',
        '',
      ].join('\n'),
    );
  });

  it('says what comes closest where nothing keeps to the objective', () => {
    const text = render({ chosen: undefined, verified: [] });
    expect(text).toContain(
      'no setting keeps to p95 < 20ms on this machine: the closest is 19.0 ms with thread, 4 x 1 threads; batching 8 rows, 0.5 ms, for 64 clients\n',
    );
    expect(text).toContain('nothing was written');
    expect(text).not.toMatch(/^\*/m);
  });

  it('says what was not tried, and what a file that is new means', () => {
    const plan = { host: 'thread', instances: 1, intraOpThreads: 4 } as const;
    const text = render(
      {
        unbatchable: 'rows influence each other',
        isCut: true,
        leftOut: [{ plan, reason: 'no\u001b memory' }],
      },
      { file: 'my own.yaml', wasListed: false },
    );
    expect(text).toContain('batches were not tried: rows influence each other\n');
    expect(text).toContain('before every setting had been tried; --budget gives more\n');
    expect(text).toContain('left out: thread, 1 x 4 (no\\u001b memory)\n');
    expect(text).toContain('models that it does not list are not served with it');
    expect(text).toContain("nimify serve --config 'my own.yaml'");
  });

  it('gives machines the same', () => {
    expect(JSON.parse(JSON.stringify(tuningFacts(task, TUNING)))).toMatchObject({
      ...{ model: 'a.onnx', cores: 4, objective: 'p95 < 20ms', target: 'throughput', closest: null },
      chosen: { plan: { instances: 4 }, batching: { maxBatchSize: 8 }, best: { throughputPerS: 1234.5 } },
    });
    expect(tuningFacts(task, { ...TUNING, chosen: undefined })).toMatchObject({
      chosen: null,
      closest: best,
    });
  });
});
