/** What `npm test` says of tests that need what is not there. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

describe('tests that need the data folder, without it', () => {
  it('are skipped with one line that says what is missing and how to get it', () => {
    const { status, lines } = runWithoutData({});
    expect(status).toBe(0);
    expect(lines.at(-2)).toMatch(/^skipped 1: needs the data folder: set NIMIFY_DATA to .*nowhere/);
    expect(lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped');
  });

  it('fail where everything is required', () => {
    const { status, lines, complaints } = runWithoutData({ NIMIFY_TEST_REQUIRE: 'all' });
    expect(status).toBe(1);
    expect(complaints).toContain('needs the data folder');
    expect(lines.at(-1)).toBe('0 passed, 1 failed, 0 skipped');
  });
});

function runWithoutData(env: Record<string, string>) {
  const { NIMIFY_TEST_REQUIRE: _, ...inherited } = process.env;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const result = spawnSync(process.execPath, [vitest, 'run', 'test/conformance/arithmetic.test.ts'], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...inherited, NIMIFY_DATA: '/nowhere', NO_COLOR: '1', ...env },
  });
  return { status: result.status, lines: result.stdout.trimEnd().split('\n'), complaints: result.stderr };
}
