import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPython, pythonCommand } from './python.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-python-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string): string {
  const program = join(folder, path);
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  return program;
}

describe.skipIf(process.platform === 'win32')('findPython', () => {
  it('takes what was asked for before the virtual environment, Conda and the PATH', async () => {
    const [asked, venv, conda, path] = ['asked/py', 'venv/bin/python', 'conda/bin/python', 'bin/python3'].map(
      put,
    );
    const env = {
      VIRTUAL_ENV: join(folder, 'venv'),
      CONDA_PREFIX: join(folder, 'conda'),
      PATH: join(folder, 'bin'),
    };
    expect(await findPython(asked, env)).toBe(asked);
    expect(await findPython('python3', env)).toBe(path);
    expect(await findPython(undefined, env)).toBe(venv);
    expect(await findPython(undefined, { ...env, VIRTUAL_ENV: '' })).toBe(conda);
    expect(await findPython(undefined, { PATH: env.PATH })).toBe(path);
  });

  it('takes python where there is no python3', async () => {
    const python = put('bin/python');
    expect(await findPython(undefined, { PATH: join(folder, 'bin') })).toBe(python);
  });

  it('says what is missing, rather than take another', async () => {
    put('bin/python3');
    const PATH = join(folder, 'bin');
    await expect(findPython('/nowhere/python', { PATH })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(findPython(undefined, { PATH, VIRTUAL_ENV: '/nowhere' })).rejects.toMatchObject({
      ...{ code: 'UNSUPPORTED', message: expect.stringContaining('VIRTUAL_ENV is /nowhere') },
    });
    await expect(findPython(undefined, { PATH: '/nowhere' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('makes a command of it, with the function where one is named', async () => {
    const python = put('python');
    const adapter = expect.stringMatching(/adapters\/python\/serve\.py$/);
    expect(await pythonCommand({ path: '/m.py', python })).toEqual([python, adapter, '/m.py']);
    const named = await pythonCommand({ path: '/m.py', python, functionName: 'score' });
    expect(named).toEqual([python, adapter, '/m.py', 'score']);
  });
});
