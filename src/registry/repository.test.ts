import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findModels } from './repository.ts';

describe('findModels', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nimify-repository-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function put(...paths: string[]): void {
    for (const path of paths) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), '');
    }
  }

  async function names(path: string): Promise<string[]> {
    const { models } = await findModels([join(root, path)]);
    return models.map((model) => `${model.name}@${model.version}`);
  }

  it('names a file after itself, and model.onnx after its folder', async () => {
    put('digits.onnx', 'iris/model.onnx', 'voice/3/model.ort');
    expect(await names('digits.onnx')).toEqual(['digits@1']);
    expect(await names('iris/model.onnx')).toEqual(['iris@1']);
    expect(await names('voice/3/model.ort')).toEqual(['voice@3']);
  });

  it('scans a folder, its model folders and their versions, in a stable order', async () => {
    put(
      'b.onnx',
      'a.ort',
      'c/model.onnx',
      'd/1/model.onnx',
      'd/2/model.onnx',
      '.hidden/model.onnx',
      'notes.txt',
    );
    expect(await names('.')).toEqual(['a@1', 'b@1', 'c@1', 'd@1', 'd@2']);
  });

  it('follows links, and passes over those that lead nowhere', async () => {
    put('real.onnx');
    symlinkSync('real.onnx', join(root, 'linked.onnx'));
    symlinkSync('nowhere', join(root, 'folder'));
    symlinkSync('nowhere.onnx', join(root, 'gone.onnx'));
    const { models, skipped } = await findModels([root]);
    expect(models.map((model) => model.name)).toEqual(['linked', 'real']);
    expect(skipped).toEqual([{ path: join(root, 'gone.onnx'), reason: 'the link leads nowhere' }]);
  });

  it('serves the ONNX file where an ORT file of the same name lies beside it, and says so', async () => {
    put('m/model.onnx', 'm/model.ort');
    const { models, skipped } = await findModels([join(root, 'm')]);
    expect(models.map((model) => model.path)).toEqual([join(root, 'm/model.onnx')]);
    expect(skipped).toEqual([
      { path: join(root, 'm/model.ort'), reason: 'model.onnx beside it is served under the same name' },
    ]);
  });

  it('gives every model of a source the settings of the source', async () => {
    put('x/a.onnx', 'x/b.onnx', 'y.onnx');
    const engine = { instances: 2 };
    const { models } = await findModels([
      { path: join(root, 'x'), engine, defaultTimeoutMs: 5 },
      join(root, 'y.onnx'),
    ]);
    expect(models).toMatchObject([{ engine, defaultTimeoutMs: 5 }, { engine, defaultTimeoutMs: 5 }, {}]);
    expect(models[2]).not.toHaveProperty('engine');
  });

  it('serves under the name that is asked for', async () => {
    put('x/model.onnx');
    const { models } = await findModels([{ path: join(root, 'x'), name: 'champion' }]);
    expect(models[0]?.name).toBe('champion');
  });

  it('tells whether sidecar files of the folder can only be meant for this model', async () => {
    put('one/model.onnx', 'two/a.onnx', 'two/b.onnx');
    const alone = async (path: string) => (await findModels([join(root, path)])).models.map((m) => m.alone);
    expect(await alone('one')).toEqual([true]);
    expect(await alone('one/model.onnx')).toEqual([true]);
    expect(await alone('two')).toEqual([false, false]);
    expect(await alone('two/a.onnx')).toEqual([false]);
  });

  it.each([
    ['a path that is not there', ['nowhere.onnx'], 'NOT_FOUND', 'no such file or folder'],
    ['a folder without models', ['empty'], 'NOT_FOUND', 'no model in this folder'],
    [
      'two files under one name',
      ['p/m.onnx', 'q/m.onnx'],
      'CONFIG_INVALID',
      "would be served as 'm' version 1",
    ],
    ['a file given twice', ['p/m.onnx', 'p/m.onnx'], 'CONFIG_INVALID', 'is given twice'],
  ])('refuses %s', async (_case, paths, code, text) => {
    put('p/m.onnx', 'q/m.onnx', 'empty/readme.txt');
    const refused = findModels(paths.map((path) => join(root, path)));
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it('refuses one name for several models', async () => {
    put('p/a.onnx', 'p/b.onnx');
    await expect(findModels([{ path: join(root, 'p'), name: 'x' }])).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('one name (x) for 2 models (a, b)'),
    });
  });
});
