import { afterEach, describe, expect, it } from 'vitest';
import { createFakeDeps, type FakeServedOptions } from './fake-registry.ts';
import { createHttpServer, type HttpServer } from './server.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function serve(models: readonly FakeServedOptions[] = [{ name: 'rows' }]) {
  const deps = createFakeDeps(models);
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { deps, get, url: `http://127.0.0.1:${port}` };
}

describe('the server', () => {
  it('names itself, its version and the extensions that work', async () => {
    const { get } = await serve();
    expect(await get('/v2')).toEqual({
      status: 200,
      body: {
        name: 'nimify',
        version: '0.0.0-test',
        extensions: [
          'binary_tensor_data',
          'classification',
          'generate',
          'logging',
          'model_configuration',
          'model_repository',
          'schedule_policy',
          'statistics',
        ],
      },
    });
  });

  it('is live while it is not ready, and ready once every model is', async () => {
    const { deps, get } = await serve();
    expect(await get('/v2/health/ready')).toEqual({ status: 200, body: { ready: true } });
    deps.registry.startDraining();
    expect(await get('/v2/health/ready')).toEqual({ status: 400, body: { ready: false } });
    expect(await get('/v2/health/live')).toEqual({ status: 200, body: { live: true } });
  });

  it('answers HEAD without a body', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/v2/models/rows`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(response.headers.get('content-type')).toContain('application/json');
  });
});

describe('a model', () => {
  it('tells its versions, platform and tensors, with and without a version', async () => {
    const { get } = await serve([{ name: 'rows' }, { name: 'rows', version: '2' }]);
    const expected = {
      name: 'rows',
      versions: ['1', '2'],
      platform: 'fake',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4] }],
      parameters: { host: 'none' },
    };
    expect(await get('/v2/models/rows')).toEqual({ status: 200, body: expected });
    expect(await get('/v2/models/rows/versions/1')).toEqual({ status: 200, body: expected });
  });

  it('may have slashes, spaces and unicode in its name, and a long one', async () => {
    const name = `team a/größe 中 ${'x'.repeat(300)}`;
    const { get } = await serve([{ name }]);
    expect((await get(`/v2/models/${encodeURIComponent(name)}`)).body).toMatchObject({ name });
    expect(await get(`/v2/models/${encodeURIComponent(name)}/ready`)).toEqual({
      status: 200,
      body: { name, ready: true },
    });
  });

  it('is not ready while it loads, drains or has failed', async () => {
    const { deps, get } = await serve([
      { name: 'drains', state: 'draining' },
      { name: 'failed', state: 'failed' },
      { name: 'limps', state: 'degraded' },
    ]);
    deps.registry.expect('loads', '1');
    for (const name of ['drains', 'failed', 'loads']) {
      expect(await get(`/v2/models/${name}/ready`)).toEqual({ status: 400, body: { name, ready: false } });
    }
    expect((await get('/v2/models/limps/versions/1/ready')).body).toEqual({
      name: 'limps',
      ready: true,
      state: 'degraded',
    });
    expect(await get('/v2/models/loads')).toMatchObject({ status: 503, body: { code: 'MODEL_NOT_READY' } });
  });

  it('that is not served is refused with the words that clients look for', async () => {
    const { get } = await serve();
    for (const path of ['/v2/models/none', '/v2/models/none/ready', '/v2/models/none/versions/1']) {
      expect(await get(path)).toMatchObject({
        status: 404,
        body: {
          error: expect.stringContaining("Request for unknown model: 'none' is not found"),
          code: 'MODEL_NOT_FOUND',
        },
      });
    }
    expect((await get('/v2/models/rows/versions/9')).status).toBe(404);
  });
});
