import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findProgram } from './find-program.ts';
import { toLaunchCommand } from './process-command.ts';

let folder = '';
const path = process.env.PATH;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-command-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});

describe.skipIf(process.platform !== 'linux')('toLaunchCommand', () => {
  const limits = ['cat', '/proc/self/limits'];
  const dataLimit = ([program = '', ...args]: readonly string[]) =>
    /^Max data size\s+(\S+)/m.exec(execFileSync(program, args, { encoding: 'utf8' }))?.[1];

  it('leaves the data size alone where there is no limit', async () => {
    expect(dataLimit(await toLaunchCommand(limits, undefined))).toBe('unlimited');
  });

  it('limits the data size to the limit and what is reserved but never touched', async () => {
    const bytes = Number(dataLimit(await toLaunchCommand(limits, 2 ** 30)));
    expect(bytes).toBeGreaterThan(2 ** 30);
    expect(bytes).toBeLessThan(2 ** 32);
  });

  it('does the same with a shell where there is no prlimit', async () => {
    const withPrlimit = dataLimit(await toLaunchCommand(limits, 2 ** 30));
    for (const name of ['sh', 'cat']) symlinkSync((await findProgram(name))!, join(folder, name));
    const setpriv = await findProgram('setpriv');
    if (setpriv !== undefined) symlinkSync(setpriv, join(folder, 'setpriv'));
    process.env.PATH = folder;
    const command = await toLaunchCommand(limits, 2 ** 30);
    expect(command).toContain('sh');
    expect(dataLimit(command)).toBe(withPrlimit);
  });
});

describe('findProgram', () => {
  it('finds names in PATH, and paths where they are', async () => {
    const program = join(folder, 'tool');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(folder, 'data'), '', { mode: 0o644 });
    const env = { PATH: `/nowhere:${folder}` };
    expect(await findProgram('tool', env)).toBe(program);
    expect(await findProgram(program, {})).toBe(program);
    expect(await findProgram('data', env)).toBeUndefined();
    expect(await findProgram(folder, env)).toBeUndefined();
    expect(await findProgram('other', env)).toBeUndefined();
    expect(await findProgram('tool', {})).toBeUndefined();
  });
});
