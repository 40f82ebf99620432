import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { modelRepository } from '../../test/support/model-repository.ts';
import { readModelConfigJson } from '../base/triton/read-model-config.ts';
import { type InventoryOptions, takeInventory } from './inventory.ts';

describe('takeInventory', () => {
  const repository = modelRepository();

  function put(...paths: readonly string[]): void {
    for (const path of paths) repository.write(path, '');
  }

  async function served(path = '.', options: InventoryOptions = {}): Promise<readonly string[]> {
    const { models } = await takeInventory([repository.at(path)], options);
    return models.flatMap(({ found }) => found.map(({ name, version }) => `${name}@${version}`));
  }

  async function unservable(): Promise<Readonly<Record<string, string>>> {
    const { models } = await takeInventory([repository.path]);
    return Object.fromEntries(
      models.flatMap((model) =>
        model.unservable.map(({ version, error, lacksBackend }) => [
          `${model.name}@${version ?? ''}`,
          `${error.code}${lacksBackend ? ' (backend)' : ''}: ${error.message.replaceAll(repository.path, '')}`,
        ]),
      ),
    );
  }

  it('takes the latest version of each model of a repository, configured or not', async () => {
    put(
      'a/1/model.onnx',
      'a/10/model.onnx',
      'a/9/model.onnx',
      'b/config.pbtxt',
      'b/2/model.ort',
      'README.md',
    );
    put('a/01/model.onnx', 'a/next/model.onnx', 'a/.git/config', '.hidden/1/model.onnx', 'notes/todo.txt');
    expect(await served()).toEqual(['a@10', 'b@2']);
    const { models } = await takeInventory([repository.path]);
    expect(models[1]?.found[0]).toMatchObject({ folder: repository.at('b'), config: { config: {} } });
    expect(models[0]?.found[0]).not.toHaveProperty('config');
  });

  it('takes the versions that the policy picks', async () => {
    put('a/1/model.onnx', 'a/2/model.onnx', 'a/3/model.onnx');
    repository.write('a/config.pbtxt', 'version_policy { specific { versions: [ 1, 3, 7 ] } }');
    expect(await served()).toEqual(['a@1', 'a@3']);
    expect(await unservable()).toEqual({
      'a@7': 'NOT_FOUND: /a: version_policy asks for version 7, and there is no such folder',
    });
    const override = readModelConfigJson('{"version_policy": {"all": {}}}', 'request');
    expect(await served('.', { overrides: new Map([['a', override]]) })).toEqual(['a@1', 'a@2', 'a@3']);
  });

  it('takes a model that is named by itself, too, by what is said there', async () => {
    put('repo/a/1/model.onnx', 'repo/b/1/model.onnx', 'plain/c.onnx', 'plain/d.onnx');
    const { models } = await takeInventory([
      { path: repository.at('repo'), defaultTimeoutMs: 1 },
      { path: repository.at('repo/b'), defaultTimeoutMs: 2 },
      { path: repository.at('plain/d.onnx'), defaultTimeoutMs: 3 },
      { path: repository.at('plain'), defaultTimeoutMs: 4 },
    ]);
    const timeouts = models.map(({ name, found }) => [name, ...found.map((one) => one.defaultTimeoutMs)]);
    expect(timeouts).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 4],
      ['d', 3],
    ]);
  });

  it('takes one model of a repository, and the name that it is to have', async () => {
    put('a/1/model.onnx', 'b/1/model.onnx');
    expect(await served('a')).toEqual(['a@1']);
    const { models } = await takeInventory([{ path: repository.at('a'), name: 'x', defaultTimeoutMs: 5 }]);
    expect(models).toMatchObject([{ name: 'x', found: [{ name: 'x', defaultTimeoutMs: 5 }] }]);
    await expect(takeInventory([{ path: repository.path, name: 'x' }])).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('one name (x) for 2 models'),
    });
  });

  it('takes the file that the configuration names, and models that are folders', async () => {
    put('a/1/net.onnx', 'b/1/model.onnx/model.onnx', 'b/1/model.onnx/weights.bin');
    repository.write('a/config.pbtxt', 'default_model_filename: "net.onnx"');
    const { models } = await takeInventory([repository.path]);
    expect(models.map(({ found }) => found[0]?.path)).toEqual([
      repository.at('a/1/net.onnx'),
      repository.at('b/1/model.onnx/model.onnx'),
    ]);
  });

  it('keeps the others where one is of another backend, or broken, and says why', async () => {
    put('good/1/model.onnx', 'trt/1/model.plan', 'odd/1/net.onnx', 'none/1/readme.txt');
    mkdirSync(repository.at('bare'));
    repository.write('bare/config.pbtxt', '');
    repository.write('none/config.pbtxt', '');
    repository.write('py/config.pbtxt', 'backend: "python"');
    put('py/1/model.py', 'py/2/model.py');
    repository.write('typo/config.pbtxt', 'name: "typo"\nmax_batch_size 8');
    put('typo/1/model.onnx');
    repository.write('latin/config.pbtxt', Uint8Array.of(0x23, 0xe9));
    put('latin/1/model.onnx');
    expect(await served()).toEqual(['good@1']);
    expect(await unservable()).toEqual({
      'bare@': 'NOT_FOUND: /bare: no version; expected folders called 1, 2, ..., each with a model.onnx',
      'latin@': 'INVALID_INPUT: /latin/config.pbtxt: expected text in UTF-8; save it in that encoding',
      'none@1': 'NOT_FOUND: /none/1: expected model.onnx or model.ort, the folder holds readme.txt',
      'odd@1': expect.stringContaining('default_model_filename: "net.onnx"'),
      'py@2': expect.stringContaining(
        "UNSUPPORTED (backend): /py/config.pbtxt:1:1: backend: the backend 'python'",
      ),
      'trt@1': expect.stringContaining("UNSUPPORTED (backend): /trt/1/model.plan: the backend 'tensorrt'"),
      'typo@': "INVALID_INPUT: /typo/config.pbtxt:2:1: expected ':' between 'max_batch_size' and its value",
    });
  });

  it('looks at nothing outside the folder of a version', async () => {
    put('a/1/model.onnx', 'outside.txt');
    for (const name of ['../../outside.txt', '/etc/passwd', 'x/../../../outside.txt', '..', './a', 'a//b']) {
      repository.write('a/config.pbtxt', `default_model_filename: "${name}"`);
      expect(await served()).toEqual([]);
      expect((await unservable())['a@1']).toContain('is no file within the folder of a version');
    }
  });

  it('follows links of the repository, and says where one leads nowhere', async () => {
    put('stored/blob');
    repository.write('repo/a/config.pbtxt', '');
    repository.write('repo/b/config.pbtxt', '');
    mkdirSync(repository.at('repo/a/1'));
    mkdirSync(repository.at('repo/b/1'));
    symlinkSync(repository.at('stored/blob'), repository.at('repo/a/1/model.onnx'));
    symlinkSync('nowhere', repository.at('repo/b/1/model.onnx'));
    const { models } = await takeInventory([repository.at('repo')]);
    expect(models[0]?.found).toHaveLength(1);
    expect(models[1]?.unservable[0]?.error.message).toContain('the folder holds model.onnx');
  });

  it.each([
    ['a file', ['m.onnx', 'd/1/model.onnx', 'd/2/model.onnx'], ['d@1', 'd@2', 'm@1']],
    ['folders of single models', ['c/model.onnx', 'd/1/model.onnx', 'd/2/model.onnx'], ['c@1', 'd@1', 'd@2']],
  ])('leaves a plain folder what it is: one with %s', async (_, paths, expected) => {
    put(...paths);
    expect(await served()).toEqual(expected);
  });

  it('refuses a folder without models, unless some may come', async () => {
    await expect(takeInventory([repository.path])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await takeInventory([repository.path], { mayBeEmpty: true })).models).toEqual([]);
  });

  it('refuses two files under one name and version', async () => {
    put('p/m/1/model.onnx', 'q/m/1/model.onnx');
    const both = takeInventory([repository.at('p'), repository.at('q')]);
    await expect(both).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
