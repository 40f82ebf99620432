import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { splitFunction, toProgram } from './program-source.ts';
import { findModels } from './repository.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nimify-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | Buffer = ''): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('splitFunction', () => {
  it('takes the function off a Python file, and off nothing else', async () => {
    expect(await splitFunction('a/b.py:predict')).toEqual({ path: 'a/b.py', functionName: 'predict' });
    expect(await splitFunction('C:\\m\\b.py:größe')).toEqual({ path: 'C:\\m\\b.py', functionName: 'größe' });
    for (const path of ['b.py', 'b.onnx:predict', 'b.py:a/b', 'C:\\m\\b.py']) {
      expect(await splitFunction(path)).toEqual({ path });
    }
    const odd = put('b.py:predict');
    expect(await splitFunction(odd)).toEqual({ path: odd });
  });
});

describe('toProgram', () => {
  it.each([
    ['a script', Buffer.from('#!/bin/sh\n'), true],
    ['a Linux program', Buffer.from('7f454c4602010100', 'hex'), true],
    ['a macOS program', Buffer.from('cffaedfe0c000001', 'hex'), true],
    ['a Windows program', Buffer.from('MZ\x90\0', 'latin1'), true],
    ['a model', Buffer.from('08071208', 'hex'), false],
    ['an empty file', Buffer.alloc(0), false],
  ])('knows %s by its first bytes', async (_what, content, isProgram) => {
    const path = put('file', content);
    expect(await toProgram({ path })).toEqual(isProgram ? { kind: 'program', path } : undefined);
  });
});

describe('findModels', () => {
  it('finds programs where they are named, and none in a folder', async () => {
    const python = put('sentiment.py');
    const script = put('engine', '#!/bin/sh\n');
    put('model.onnx');
    const { models } = await findModels([`${python}:score`, script, folder]);
    expect(models).toMatchObject([
      { name: 'sentiment', path: python, program: { kind: 'python', path: python, functionName: 'score' } },
      { name: 'engine', path: script, program: { kind: 'program', path: script } },
      { path: join(folder, 'model.onnx') },
    ]);
    expect(models[2]).not.toHaveProperty('program');
  });

  it('serves two functions of a file under two names', async () => {
    const python = put('text.py');
    await expect(findModels([`${python}:a`, `${python}:b`])).rejects.toThrow(
      /text.py:a and .*text.py:b; .*name=path/,
    );
    await expect(findModels([`${python}:a`, `${python}:a`])).rejects.toThrow(/given twice/);
    const { models } = await findModels([{ path: `${python}:a`, name: 'one' }, `${python}:b`]);
    expect(models.map(({ name }) => name)).toEqual(['one', 'text']);
  });
});
