import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { flowers, type ServedHere, serveModels, table } from './served-fakes.ts';

let here: ServedHere | undefined;

afterEach(() => here?.close());

async function serve(): Promise<ServedHere> {
  here = await serveModels([flowers(), table()]);
  return here;
}

describe('the management routes', () => {
  it('tell health in the shape of NIM', async () => {
    const { get, deps } = await serve();
    expect(await get('/v1/health/live')).toEqual({
      status: 200,
      body: { object: 'health.response', message: 'Service is live.' },
    });
    expect(await get('/v1/health/ready')).toEqual({
      status: 200,
      body: { object: 'health.response', message: 'Service is ready.' },
    });
    deps.registry.startDraining();
    expect((await get('/v1/health/live')).status).toBe(200);
    expect(await get('/v1/health/ready')).toMatchObject({
      status: 503,
      body: { object: 'error', message: 'Service is not ready.', code: 503 },
    });
  });

  it('tell version, licence and metadata', async () => {
    const { get } = await serve();
    expect((await get('/v1/version')).body).toEqual({ release: '0.0.0-test', api: '0.0.0-test' });
    const { body: license } = await get('/v1/license');
    const content = license.content as string;
    expect(content).toContain('Apache License');
    expect(license).toMatchObject({
      name: 'Apache-2.0',
      type: 'file',
      size: content.length,
      sha: createHash('sha1').update(content).digest('hex'),
      models: [{ name: 'iris', version: '1', license: 'CC0-1.0' }],
    });
    expect((await get('/v1/metadata')).body).toMatchObject({
      version: '0.0.0-test',
      modelInfo: [
        { shortName: 'churn:1', modelUrl: '/v2/models/churn/versions/1' },
        { shortName: 'iris:1', modelUrl: '/v2/models/iris/versions/1' },
      ],
      licenseInfo: { name: 'Apache-2.0' },
      assetInfo: [],
      repository_override: '',
    });
  });

  it('tell the files served, without their place on disk', async () => {
    const { get } = await serve();
    const { body } = await get('/v1/manifest');
    expect(body.manifest_file).toContain(
      '  - name: "iris"\n    version: "1"\n    platform: "fake"\n    file: "iris.onnx"\n    size_bytes: 1\n    checksum: "sha256:00"\n    notes:\n      "host": "none"\n',
    );
    expect(body.manifest_file).not.toContain('nowhere');
  });

  it('give the metrics', async () => {
    const { url, deps } = await serve();
    deps.metrics.counter('app_requests', 'R.').labels().inc(3);
    const answer = await fetch(`${url}/v1/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('app_requests_total 3\n');
  });
});

describe('the models', () => {
  it('are listed as OpenAI and KServe do', async () => {
    const { get } = await serve();
    const { body } = await get('/v1/models');
    expect(body).toMatchObject({ object: 'list', models: ['churn', 'iris'] });
    expect((body.data as unknown[])[1]).toEqual({
      id: 'iris',
      object: 'model',
      created: 1_700_000_000,
      owned_by: 'nimify',
      root: 'iris',
      parent: null,
    });
  });

  it('tell their state as KServe and TensorFlow Serving do', async () => {
    const { get } = await serve();
    expect((await get('/v1/models/iris')).body).toMatchObject({
      id: 'iris',
      name: 'iris',
      ready: true,
      model_version_status: [
        { version: '1', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } },
      ],
    });
    expect((await get('/v1/models/iris/versions/1')).status).toBe(200);
    expect((await get('/v1/models/iris/versions/7')).status).toBe(404);
    expect(await get('/v1/models/rose')).toMatchObject({ status: 404, body: { code: 'MODEL_NOT_FOUND' } });
  });
});
