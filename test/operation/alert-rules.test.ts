/** The rules that `nimify alerts` prints: Prometheus's own tool takes them, and they fire when and only when they should. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { renderAlertRules } from '../../src/control/slo/alert-rules.ts';
import { describeWith, peerPath } from '../require.ts';

const folder = mkdtempSync(join(tmpdir(), 'nimify-rules-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LABELS = 'job="nimify",instance="a",model="m",objective="availability"';

/** Requests a minute for so long, so many of which fail; then as many without a failure. */
function series(bad: number, minutes: number): string {
  const good = 1000 - bad;
  const goodAtEnd = good * minutes;
  return `
      - series: 'nimify_slo_objective_ratio{${LABELS}}'
        values: 0.999x10000
      - series: 'nimify_slo_requests_total{${LABELS},result="good"}'
        values: 0+${good}x${minutes} ${goodAtEnd + 1000}+1000x5000
      - series: 'nimify_slo_requests_total{${LABELS},result="bad"}'
        values: 0+${bad}x${minutes} ${bad * minutes}x5000`;
}

function promtool(...args: readonly string[]) {
  return spawnSync(peerPath('promtool'), args, { cwd: folder, encoding: 'utf8' });
}

describeWith(['promtool'], 'alert rules', () => {
  it('are taken by Prometheus', () => {
    writeFileSync(join(folder, 'rules.yml'), renderAlertRules());
    const checked = promtool('check', 'rules', 'rules.yml');
    expect(`${checked.stdout}${checked.stderr}`).toMatch(/SUCCESS: 14 rules found/);
  });

  it.each([
    ['an outage is told within minutes', 1000, 2, 2, ['1h', '6h', '1d', '3d']],
    ['2 % that fail burn the budget 20 times too fast', 20, 70, 70, ['1h', '6h', '1d', '3d']],
    ['0.4 % burn it 4 times too fast', 4, 2000, 2000, ['1d', '3d']],
    ['0.2 % burn it twice too fast', 2, 2000, 2000, ['3d']],
    ['what the objective allows is told to nobody', 1, 2000, 2000, []],
    ['what is over is told to nobody after a while', 20, 70, 600, []],
  ] as const)('%s', (_title, bad, minutes, at, windows) => {
    writeFileSync(join(folder, 'rules.yml'), renderAlertRules());
    const fired = firedAt(bad, minutes, at);
    expect(fired).toEqual([...windows].sort());
  });

  /** Asked of promtool one window at a time: it compares annotations too, which are no matter here. */
  function firedAt(bad: number, minutes: number, at: number): readonly string[] {
    const test = `rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:${series(bad, minutes)}
    promql_expr_test:
      - expr: count by (window) (ALERTS{alertname="NimifySloBurn",alertstate="firing"})
        eval_time: ${at}m
        exp_samples: []
`;
    writeFileSync(join(folder, 'test.yml'), test);
    const tested = promtool('test', 'rules', 'test.yml');
    const output = `${tested.stdout}${tested.stderr}`;
    expect(output).toMatch(/SUCCESS|got:/);
    return [...output.matchAll(/\{window="(\w+)"\}/g)].map((match) => match[1] as string).sort();
  }
});
