import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { RepositoryOptions, RunningServer } from '../../src/server.ts';
import { DIGITS, IRIS, modelRepository, TRUNCATED } from '../support/model-repository.ts';
import { askIris, closeServers, serveRepository } from '../support/repository-server.ts';

/** Looks often, so that the tests are short. */
const POLL: Partial<RepositoryOptions> = { mode: 'poll', pollMs: 50 };

afterEach(closeServers);

function serve(path: string, repository: Partial<RepositoryOptions>): Promise<RunningServer> {
  logged = [];
  return serveRepository(path, repository, { debug() {}, info() {}, warn: noteLog, error: noteLog });
}

let logged: { readonly message: string; readonly reason: unknown }[] = [];
function noteLog(fields: Readonly<Record<string, unknown>>, message: string): void {
  logged.push({ message, reason: fields.reason });
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never: ${what}`);
}

/** Asks all the time, several at once, until it is stopped; gives every status that came, with the version. */
function keepAsking(server: RunningServer, model = 'iris') {
  const answers = new Map<string, number>();
  let isStopped = false;
  async function one(): Promise<void> {
    while (!isStopped) {
      const response = await askIris(server, model);
      const { model_version: version } = (await response.json()) as { model_version?: string };
      const key = `${response.status} ${version}`;
      answers.set(key, (answers.get(key) ?? 0) + 1);
    }
  }
  const all = Promise.all(Array.from({ length: 8 }, one));
  return {
    answers,
    async stop() {
      isStopped = true;
      await all;
      return answers;
    },
  };
}

async function metric(server: RunningServer, line: string): Promise<boolean> {
  return (await (await fetch(`${server.url}/v1/metrics`)).text()).includes(line);
}

describe('a polled repository', () => {
  const repository = modelRepository();

  it('takes up new versions and changed files while requests run, and not one fails', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, POLL);
    const asking = keepAsking(server);
    await eventually('answers of version 1', () => (asking.answers.get('200 1') ?? 0) > 20);

    repository.copy(IRIS, 'iris/2/model.onnx');
    await eventually('answers of version 2', () => (asking.answers.get('200 2') ?? 0) > 20);
    await eventually('version 1 has gone', async () =>
      (await server.control.index()).some(({ version, reason }) => version === '1' && reason === 'unloaded'),
    );

    const before = server.registry.find('iris');
    copyFileSync(IRIS, repository.at('iris/2/other.tmp'));
    renameSync(repository.at('iris/2/other.tmp'), repository.at('iris/2/model.onnx'));
    await eventually('version 2 loaded anew', () => server.registry.find('iris') !== before);

    repository.write('iris/config.pbtxt', 'version_policy { all { } } instance_group { count: 1 }');
    await eventually('both versions', () => server.registry.list().length === 2);
    const answers = await asking.stop();
    expect([...answers.keys()].sort()).toEqual(['200 1', '200 2']);
    expect(server.registry.isReady()).toBe(true);
    expect(before.model.state).toBe('draining');
  });

  it('keeps the old version where the new one is broken, and says so in the index, the log and a metric', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, POLL);
    const asking = keepAsking(server);
    repository.copy(TRUNCATED, 'iris/2/model.onnx');
    await eventually('the failure', async () => (await server.control.index()).length === 2);
    await eventually('it was tried', async () =>
      (await server.control.index()).some(({ state }) => state === 'UNAVAILABLE'),
    );
    expect(await server.control.index()).toEqual([
      { name: 'iris', version: '1', state: 'READY', reason: '' },
      { name: 'iris', version: '2', state: 'UNAVAILABLE', reason: expect.stringContaining('model.onnx') },
    ]);
    expect(await server.control.index({ readyOnly: true })).toHaveLength(1);
    expect(logged.map(({ message }) => message)).toContain(
      'could not be loaded; what was served before goes on answering',
    );
    expect(await metric(server, 'nimify_model_outdated{model="iris"} 1')).toBe(true);
    expect(
      await metric(server, 'nimify_model_loads_total{model="iris",version="2",outcome="failed"} 1'),
    ).toBe(true);
    expect(server.registry.isReady()).toBe(true);
    expect([...(await asking.stop()).keys()]).toEqual(['200 1']);

    repository.copy(IRIS, 'iris/2/model.onnx');
    await eventually('version 2', () => server.registry.find('iris').version === '2');
    expect(await metric(server, 'nimify_model_outdated{model="iris"} 0')).toBe(true);
  });

  it('keeps what is served where its file or its configuration breaks, and takes up the mended one', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, POLL);
    const first = server.registry.find('iris');
    repository.write('iris/config.pbtxt', 'max_batch_size 8');
    await eventually('the failure', async () => (await server.control.index()).length === 2);
    expect(await server.control.index()).toEqual([
      {
        name: 'iris',
        state: 'UNAVAILABLE',
        reason: expect.stringContaining("config.pbtxt:1:1: expected ':'"),
      },
      { name: 'iris', version: '1', state: 'READY', reason: '' },
    ]);
    expect((await askIris(server)).status).toBe(200);
    repository.write('iris/config.pbtxt', 'max_batch_size: 2');
    await eventually('the mended one', () => server.registry.find('iris') !== first);
    expect(await server.control.index()).toHaveLength(1);
    expect((await askIris(server, 'iris', 3)).status).toBe(400);

    const second = server.registry.find('iris');
    repository.copy(TRUNCATED, 'iris/1/model.onnx');
    await eventually('the failure', async () => (await server.control.index())[0]?.reason !== '');
    expect(await server.control.index()).toMatchObject([{ version: '1', state: 'READY' }]);
    expect(server.registry.find('iris')).toBe(second);
    expect((await askIris(server)).status).toBe(200);
  });

  it('never loads a file that is being written', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, POLL);
    const whole = readFileSync(IRIS);
    repository.write('iris/2/model.onnx', '');
    for (let size = 100; size < whole.length; size += 200) {
      writeFileSync(repository.at('iris/2/model.onnx'), whole.subarray(0, size));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    writeFileSync(repository.at('iris/2/model.onnx'), whole);
    await eventually('version 2', () => server.registry.find('iris').version === '2');
    expect(logged.filter(({ message }) => /could not be loaded/.test(message))).toEqual([]);
    expect(await metric(server, 'outcome="failed"')).toBe(false);
  });

  it('starts without a model that is being written, and is ready once it is whole', async () => {
    const whole = readFileSync(IRIS);
    let size = 0;
    const writing = setInterval(() => {
      size = Math.min(size + 200, whole.length);
      repository.write('iris/1/model.onnx', whole.subarray(0, size));
      if (size === whole.length) clearInterval(writing);
    }, 40);
    await eventually('a first part', () => size > 0);
    const server = await serve(repository.path, POLL);
    expect(await server.control.index()).toEqual([
      { name: 'iris', version: '1', state: 'LOADING', reason: '' },
    ]);
    expect(server.registry.isReady()).toBe(false);
    await eventually('the whole model', () => server.registry.isReady());
    expect((await askIris(server)).status).toBe(200);
    expect(logged.filter(({ message }) => /could not be loaded/.test(message))).toEqual([]);
  });

  it('takes models in and out, and keeps all of them while the folder is away', async () => {
    const server = await serve(repository.path, POLL);
    expect(server.registry.isReady()).toBe(true);
    repository.copy(IRIS, 'a/1/model.onnx');
    repository.copy(IRIS, 'b/1/model.onnx');
    await eventually('two models', () => server.registry.list().length === 2);
    repository.remove('a');
    await eventually('one model', () => server.registry.list().length === 1);
    expect((await askIris(server, 'a')).status).toBe(404);
    renameSync(repository.path, `${repository.path}-away`);
    await eventually('a word in the log', () =>
      logged.some(({ message }) => message === 'the models cannot be looked at'),
    );
    expect((await askIris(server, 'b')).status).toBe(200);
    renameSync(`${repository.path}-away`, repository.path);
    repository.copy(IRIS, 'c/1/model.onnx');
    await eventually('two models again', () => server.registry.list().length === 2);
  });

  it('takes up a plain file that changed', async () => {
    repository.copy(IRIS, 'iris.onnx');
    const server = await serve(repository.at('iris.onnx'), POLL);
    const before = server.registry.find('iris');
    repository.copy(DIGITS, 'iris.onnx');
    await eventually('the other model', () => server.registry.find('iris') !== before);
    expect(server.registry.find('iris').model.signature.inputs[0]?.name).toBe('image');
  });
});

describe('models that are asked for', () => {
  const repository = modelRepository();
  const EXPLICIT: Partial<RepositoryOptions> = { mode: 'explicit' };

  it('loads and unloads by name, and loads anew without a failing request', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(IRIS, 'other/1/model.onnx');
    const server = await serve(repository.path, { ...EXPLICIT, load: ['iris'] });
    expect(await server.control.index()).toEqual([
      { name: 'iris', version: '1', state: 'READY', reason: '' },
      { name: 'other', state: 'UNAVAILABLE', reason: 'not loaded' },
    ]);
    await server.control.load('other');
    expect((await askIris(server, 'other')).status).toBe(200);

    const asking = keepAsking(server);
    for (const version of ['2', '3']) {
      repository.copy(IRIS, `iris/${version}/model.onnx`);
      await server.control.load('iris');
      expect(server.registry.find('iris').version).toBe(version);
    }
    await server.control.load('iris', { config: '{"version_policy": {"specific": {"versions": [1, 3]}}}' });
    expect(server.registry.list().map(({ name, version }) => `${name}@${version}`)).toEqual([
      'iris@1',
      'iris@3',
      'other@1',
    ]);
    expect([...(await asking.stop()).keys()].every((answer) => answer.startsWith('200'))).toBe(true);

    await server.control.unload('other');
    expect((await askIris(server, 'other')).status).toBe(404);
    await eventually('it has drained', async () =>
      (await server.control.index()).some(({ name, reason }) => name === 'other' && reason === 'unloaded'),
    );
    await server.control.unload('other', { unloadDependents: true });
    await server.control.load('other');
    expect((await askIris(server, 'other')).status).toBe(200);
  });

  it('serves the files that came with a request, and the repository is as it was', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, { ...EXPLICIT, load: ['*'] });
    const files = new Map<string, Uint8Array>([['7/model.onnx', readFileSync(DIGITS)]]);
    await server.control.load('iris', { config: '{"max_batch_size": 4}', files });
    expect(server.registry.list()).toMatchObject([{ version: '7', config: { max_batch_size: 4 } }]);
    const broken = new Map<string, Uint8Array>([['8/model.onnx', readFileSync(TRUNCATED)]]);
    await expect(server.control.load('iris', { config: '{}', files: broken })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^failed to load 'iris': /),
    });
    expect(server.registry.find('iris').version).toBe('7');
    await server.control.load('iris');
    expect(server.registry.list()).toMatchObject([{ version: '1' }]);
  });

  it.each<[string, (control: RunningServer['control']) => Promise<void>, string, string]>([
    [
      'a way out of the repository',
      (control) => control.load('../iris'),
      'INVALID_INPUT',
      'nothing outside is loaded',
    ],
    ['an absolute path', (control) => control.load('/etc'), 'INVALID_INPUT', "got '/etc'"],
    ['the folder above', (control) => control.load('..'), 'INVALID_INPUT', "got '..'"],
    [
      'a way out with backslashes',
      (control) => control.unload('..\\iris'),
      'INVALID_INPUT',
      'nothing outside',
    ],
    ['no name', (control) => control.load(''), 'INVALID_INPUT', "got ''"],
    [
      'a model that is not there',
      (control) => control.load('irs'),
      'MODEL_NOT_FOUND',
      "did you mean 'iris'?",
    ],
    [
      'to unload what is not there',
      (control) => control.unload('nothing'),
      'MODEL_NOT_FOUND',
      "no model 'nothing'",
    ],
    [
      'a configuration that is none',
      (control) => control.load('iris', { config: '{' }),
      'INVALID_INPUT',
      'as JSON',
    ],
    [
      'a file outside',
      (control) => control.load('iris', { config: '{}', files: new Map([['../x', new Uint8Array()]]) }),
      'INVALID_INPUT',
      'nothing outside is written',
    ],
    [
      'a configuration that names a file outside',
      (control) => control.load('iris', { config: '{"default_model_filename": "../../x.onnx"}' }),
      'INVALID_INPUT',
      'no file within the folder',
    ],
    [
      'files without a configuration',
      (control) => control.load('iris', { files: new Map([['1/model.onnx', new Uint8Array()]]) }),
      'INVALID_INPUT',
      'a configuration must come with them',
    ],
    [
      'files of no version',
      (control) => control.load('iris', { config: '{}', files: new Map([['model.onnx', new Uint8Array()]]) }),
      'INVALID_INPUT',
      'at least one file of a version',
    ],
    [
      'shapes that contradict the model',
      (control) =>
        control.load('iris', {
          config: '{"max_batch_size": 8, "input": [{"name": "X", "data_type": "TYPE_FP32", "dims": [5]}]}',
        }),
      'UNSUPPORTED',
      "[-1,5] (with the rows of max_batch_size), but the model's own shape is [N,4]",
    ],
  ])('refuses %s, and what is served stays', async (_, request, code, says) => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, { ...EXPLICIT, load: ['iris'] });
    const served = server.registry.find('iris');
    await expect(request(server.control)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
    expect(server.registry.find('iris')).toBe(served);
  });

  it.each(['none', 'poll'] as const)('are not taken in mode %s', async (mode) => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    const server = await serve(repository.path, { mode });
    await expect(server.control.load('iris')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(server.control.unload('iris')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('are refused at the start where they are not there', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    for (const load of [['nothing'], ['*', 'iris']]) {
      await expect(serve(repository.path, { ...EXPLICIT, load })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    }
  });
});
