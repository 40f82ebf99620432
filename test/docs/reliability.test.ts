/** docs/reliability.md and its picture are drawn from the newest results of the fault suite, and not otherwise. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

let out: string;
beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), 'nimify-drawn-'));
});
afterEach(() => rmSync(out, { recursive: true, force: true }));

it('shows the newest results (node bench/chaos/draw.mjs draws them)', () => {
  execFileSync(process.execPath, [join(ROOT, 'bench/chaos/draw.mjs'), '--out', out], { stdio: 'ignore' });
  const names = readdirSync(out).sort();
  expect(names).toEqual(['reliability-faults.svg', 'reliability.md']);
  for (const name of names)
    expect(readFileSync(join(ROOT, 'docs', name), 'utf8')).toBe(readFileSync(join(out, name), 'utf8'));
});
