import { afterEach, describe, expect, it } from 'vitest';
import { type Logger, SILENT } from '../../../base/telemetry/log.ts';
import { createFakeDeps, type FakeServedOptions } from '../fake-registry.ts';
import { createHttpServer, type HttpServer } from '../server.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function serve(models: readonly FakeServedOptions[] = [{ name: 'rows' }], ownLog?: Logger) {
  const fakes = createFakeDeps(models);
  const deps = { ...fakes, log: ownLog ?? fakes.log };
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  const ask = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return {
    deps,
    get: (path: string) => ask('GET', path),
    post: (path: string, body?: string, headers?: Record<string, string>) => ask('POST', path, body, headers),
    ask,
  };
}

const ROW = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] }],
});

describe('the configuration of a model', () => {
  it('is whole, with and without a version', async () => {
    const { get } = await serve();
    const expected = {
      name: 'rows',
      platform: 'fake',
      max_batch_size: 2147483647,
      input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [4], format: 'FORMAT_NONE', optional: false }],
      output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [4], label_filename: '' }],
      instance_group: [{ name: 'rows', kind: 'KIND_CPU', count: 1 }],
      default_model_filename: 'rows.onnx',
    };
    for (const path of ['/v2/models/rows/config', '/v2/models/rows/versions/1/config']) {
      expect(await get(path)).toMatchObject({ status: 200, body: expected });
    }
    expect(await get('/v2/models/none/config')).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining("Request for unknown model: 'none' is not found") },
    });
  });
});

describe('statistics', () => {
  const none = { count: 0, ns: 0 };

  it('start with zeros', async () => {
    const { get } = await serve();
    expect(await get('/v2/models/rows/stats')).toEqual({
      status: 200,
      body: {
        model_stats: [
          {
            name: 'rows',
            version: '1',
            last_inference: 0,
            inference_count: 0,
            execution_count: 0,
            inference_stats: {
              ...{ success: none, fail: none, queue: none },
              ...{ compute_input: none, compute_infer: none, compute_output: none },
              ...{ cache_hit: none, cache_miss: none },
            },
            response_stats: {},
            batch_stats: [],
            memory_usage: [],
          },
        ],
      },
    });
  });

  it('count what was asked, by rows', async () => {
    const { get, post } = await serve();
    const before = Date.now();
    await post('/v2/models/rows/infer', ROW);
    await post('/v1/predict', JSON.stringify({ x: [1, 2, 3, 4] }));
    const { body } = await get('/v2/models/rows/versions/1/stats');
    const [stat] = body.model_stats;
    expect(stat).toMatchObject({
      inference_count: 3,
      execution_count: 2,
      inference_stats: { success: { count: 2 }, fail: none, compute_infer: { count: 2, ns: 2 } },
      response_stats: { 0: { success: { count: 2 }, cancel: none, empty_response: none } },
      batch_stats: [
        { batch_size: 1, compute_infer: { count: 1, ns: 1 } },
        { batch_size: 2, compute_input: { count: 1 }, compute_output: { count: 1 } },
      ],
    });
    expect(stat.last_inference).toBeGreaterThanOrEqual(before - 1000);
    expect(stat.inference_stats.success.ns).toBeGreaterThan(0);
  });

  it('are told of all models, of all versions of one, or of one', async () => {
    const { get } = await serve([{ name: 'a' }, { name: 'b', version: '2' }, { name: 'b', version: '10' }]);
    const told = async (path: string) =>
      (await get(path)).body.model_stats.map((stat: { name: string; version: string }) => [
        stat.name,
        stat.version,
      ]);
    expect(await told('/v2/models/stats')).toEqual([
      ['a', '1'],
      ['b', '2'],
      ['b', '10'],
    ]);
    expect(await told('/v2/models/b/stats')).toHaveLength(2);
    expect(await told('/v2/models/b/versions/2/stats')).toEqual([['b', '2']]);
    expect((await get('/v2/models/c/stats')).status).toBe(404);
  });
});

describe('the repository', () => {
  it('is listed, whole or what is ready of it', async () => {
    const { post } = await serve();
    const ready = { name: 'rows', version: '1', state: 'READY', reason: '' };
    const broken = { name: 'broken', state: 'UNAVAILABLE', reason: 'not loaded' };
    for (const body of [undefined, '', '{}', '{"ready": false}', '{"ready": null}']) {
      expect(await post('/v2/repository/index', body)).toEqual({ status: 200, body: [broken, ready] });
    }
    expect(await post('/v2/repository/index', '{"ready": true}')).toEqual({ status: 200, body: [ready] });
    expect(await post('/v2/repository/index', '{"ready": "yes"}')).toMatchObject({
      status: 400,
      body: { error: 'ready: expected true or false, got "yes"' },
    });
  });

  it('loads and unloads models, and answers nothing', async () => {
    const { post, deps } = await serve();
    expect(await post('/v2/repository/models/m/load')).toEqual({ status: 200, body: undefined });
    expect(await post('/v2/repository/models/m/unload', '{}')).toEqual({ status: 200, body: undefined });
    const dependents = JSON.stringify({ parameters: { unload_dependents: true } });
    await post('/v2/repository/models/a%2Fb/unload', dependents);
    expect(deps.control.asked).toEqual([
      ['load', 'm', {}],
      ['unload', 'm', { unloadDependents: false }],
      ['unload', 'a/b', { unloadDependents: true }],
    ]);
  });

  it.each(['application/json', 'application/x-www-form-urlencoded', 'application/octet-stream'])(
    'takes the body as JSON where the client calls it %s',
    async (contentType) => {
      const { post, deps } = await serve();
      const body = JSON.stringify({ parameters: { config: '{}' } });
      await post('/v2/repository/models/m/load', body, { 'content-type': contentType });
      expect(deps.control.asked).toEqual([['load', 'm', { config: '{}' }]]);
    },
  );

  it('takes a configuration and files along', async () => {
    const { post, deps } = await serve();
    const parameters = { config: '{"backend":"onnxruntime"}', 'file:1/model.onnx': 'AAEC/w==', 'file:a': '' };
    await post('/v2/repository/models/m/load', JSON.stringify({ parameters, id: 7 }));
    const files = new Map([
      ['1/model.onnx', Buffer.of(0, 1, 2, 255)],
      ['a', Buffer.of()],
    ]);
    expect(deps.control.asked).toEqual([['load', 'm', { config: parameters.config, files }]]);
  });

  it.each([
    ['{"parameters": {"config": {}}}', 'parameters.config: expected a string, a number or a boolean'],
    [
      '{"parameters": {"config": 7}}',
      'parameters.config: expected a model configuration as JSON in a string, got 7',
    ],
    [
      '{"parameters": {"file:1/m.onnx": true}}',
      'parameters.file:1/m.onnx: expected the bytes of a file in base64, got true',
    ],
    [
      '{"parameters": {"file:1/m.onnx": "AB!D"}}',
      'parameters.file:1/m.onnx: expected the bytes of a file in base64',
    ],
    [
      '{"parameters": {"file:1/m.onnx": "A"}}',
      'parameters.file:1/m.onnx: expected the bytes of a file in base64',
    ],
    ['{"parameters": {"speed": 1}}', 'parameters.speed: expected config or file:<path>'],
    ['{"parameters": []}', 'parameters: expected an object'],
    ['[]', 'body: expected an object'],
    ['{', 'body: expected'],
    ['{} {}', 'body: expected nothing after the JSON object'],
  ])('refuses to load by %s', async (body, message) => {
    const { post, deps } = await serve();
    expect(await post('/v2/repository/models/m/load', body)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUT', error: expect.stringContaining(message) },
    });
    expect(deps.control.asked).toEqual([]);
  });

  it('refuses what is no JSON by its content type, and other methods', async () => {
    const { ask, post } = await serve();
    const answer = await post('/v2/repository/index', '{}', { 'content-type': 'text/plain' });
    expect(answer.status).toBe(415);
    expect((await ask('GET', '/v2/repository/index')).status).toBe(405);
  });
});

describe('the log', () => {
  const ALL = {
    ...{ log_file: '', log_error: true, log_warning: true, log_info: true },
    ...{ log_verbose_level: 0, log_format: 'ISO8601' },
  };

  it('tells what it tells, and is changed', async () => {
    const { get, post, deps } = await serve([]);
    expect((await get('/v2')).body.extensions).toContain('logging');
    expect(await get('/v2/logging')).toEqual({ status: 200, body: ALL });
    const louder = { ...ALL, log_verbose_level: 1 };
    const curl = { 'content-type': 'application/x-www-form-urlencoded' };
    expect(await post('/v2/logging', '{"log_verbose_level": 1}', curl)).toEqual({
      status: 200,
      body: louder,
    });
    expect(deps.log.level).toBe('debug');
    const quiet = '{"log_verbose_level": 0, "log_info": false, "log_format": null}';
    expect((await post('/v2/logging', quiet)).body).toEqual({ ...ALL, log_info: false });
    expect(deps.log.level).toBe('warn');
    expect((await get('/v2/logging')).body).toEqual({ ...ALL, log_info: false });
  });

  it.each([
    ['{"log_colour": true}', 400, 'settings.log_colour: expected one of log_file, log_error'],
    ['{"log_info": "no"}', 400, 'settings.log_info: expected a boolean, got "no"'],
    [
      '{"log_verbose_level": -1}',
      400,
      'settings.log_verbose_level: expected a whole number of at least 0, got -1',
    ],
    ['{"log_warning": false}', 400, 'settings: expected every louder kind to be on with the quieter ones'],
    ['{"log_file": "/etc/passwd"}', 501, "settings.log_file: expected '', got another"],
    ['{"log_format": "default"}', 501, "settings.log_format: expected 'ISO8601', got another"],
  ])('is not changed by %s', async (body, status, message) => {
    const { post, deps } = await serve([]);
    expect(await post('/v2/logging', body)).toMatchObject({
      status,
      body: { error: expect.stringContaining(message) },
    });
    expect(deps.log.level).toBe('info');
  });

  it('is left to a program that has given its own', async () => {
    const { get } = await serve([], SILENT);
    expect((await get('/v2')).body.extensions).not.toContain('logging');
    expect(await get('/v2/logging')).toMatchObject({
      status: 501,
      body: { code: 'UNSUPPORTED', error: expect.stringContaining('belongs to the program around it') },
    });
  });
});

describe('what is not offered', () => {
  it.each([
    ['GET', '/v2/systemsharedmemory/status', 'tensors in shared memory are not offered'],
    ['POST', '/v2/systemsharedmemory/region/r/register', 'tensors in shared memory are not offered'],
    ['POST', '/v2/cudasharedmemory/unregister', 'tensors in shared memory are not offered'],
    ['GET', '/v2/trace/setting', 'traces are not written'],
    ['POST', '/v2/models/rows/trace/setting', 'traces are not written'],
  ])('is said with the reason: %s %s', async (method, path, reason) => {
    const { ask } = await serve();
    const body = method === 'POST' ? '{"key": "/x", "byte_size": 64}' : undefined;
    expect(await ask(method, path, body)).toMatchObject({
      status: 501,
      body: { code: 'UNSUPPORTED', error: expect.stringContaining(reason) },
    });
  });
});
