/** Triton's HTTP extensions hold to the shapes that its repository documents (server, docs/protocol/extension_*.md). */
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPinoLogger } from '../../src/base/telemetry/pino-log.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { DIGITS, IRIS, modelRepository } from '../support/model-repository.ts';

const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const NUMBER = { type: 'number' };

function object(properties: object, optional: object = {}): object {
  return { type: 'object', required: Object.keys(properties), properties: { ...properties, ...optional } };
}

function list(items: object): object {
  return { type: 'array', items };
}

const DURATION = object({ count: NUMBER, ns: NUMBER });
const COMPUTE = { compute_input: DURATION, compute_infer: DURATION, compute_output: DURATION };

const SHAPES = {
  stats: object({
    model_stats: list(
      object({
        ...{
          name: TEXT,
          version: TEXT,
          last_inference: NUMBER,
          inference_count: NUMBER,
          execution_count: NUMBER,
        },
        inference_stats: object(
          { success: DURATION, fail: DURATION, queue: DURATION, ...COMPUTE, cache_hit: DURATION },
          { cache_miss: DURATION },
        ),
        batch_stats: list(object({ batch_size: NUMBER, ...COMPUTE })),
      }),
    ),
  }),
  config: object({
    name: TEXT,
    platform: TEXT,
    backend: TEXT,
    version_policy: { type: 'object' },
    max_batch_size: NUMBER,
    input: list(object({ name: TEXT, data_type: { pattern: '^TYPE_' }, dims: list(NUMBER) })),
    output: list(object({ name: TEXT, data_type: { pattern: '^TYPE_' }, dims: list(NUMBER) })),
    instance_group: list(object({ name: TEXT, kind: { pattern: '^KIND_' }, count: NUMBER })),
    default_model_filename: TEXT,
  }),
  index: list(object({ name: TEXT, state: TEXT, reason: TEXT }, { version: TEXT })),
  logging: object({
    ...{ log_file: TEXT, log_info: FLAG, log_warning: FLAG, log_error: FLAG },
    ...{ log_verbose_level: NUMBER, log_format: { enum: ['default', 'ISO8601'] } },
  }),
  metadata: object({ name: TEXT, version: TEXT, extensions: list(TEXT) }),
  generated: object({ model_name: TEXT, model_version: TEXT }),
  error: object({ error: TEXT }),
};

const ajv = new Ajv2020({ strict: false });

function fits(shape: keyof typeof SHAPES, body: unknown): void {
  const validate = ajv.compile(SHAPES[shape]);
  expect(validate(body), `${JSON.stringify(validate.errors)} in ${JSON.stringify(body)}`).toBe(true);
}

describe("Triton's extensions", () => {
  const repository = modelRepository();
  let server: RunningServer;

  async function ask(method: 'GET' | 'POST', path: string, body?: object) {
    const response = await fetch(server.url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  }

  function inferIris(fields: object = {}) {
    const X = { name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };
    return ask('POST', '/v2/models/iris/infer', { inputs: [X], ...fields });
  }

  beforeEach(async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(DIGITS, 'digits/1/model.onnx');
    server = await createServer({
      ...{ models: [repository.path], httpPort: 0, metricsPort: false },
      repository: { mode: 'explicit', load: ['iris'] },
      log: createPinoLogger({ sink: { write() {} } }),
    });
  });

  afterEach(() => server.close({ graceMs: 0 }));

  it('have the documented shapes, and none is listed that is not there', async () => {
    const metadata = await ask('GET', '/v2');
    fits('metadata', metadata.body);
    expect(metadata.body.extensions).toEqual([
      ...['binary_tensor_data', 'classification', 'generate', 'logging'],
      ...['model_configuration', 'model_repository', 'schedule_policy', 'statistics'],
    ]);

    fits('config', (await ask('GET', '/v2/models/iris/config')).body);

    await inferIris();
    expect((await inferIris({ inputs: [] })).status).toBe(400);
    for (const path of ['/v2/models/stats', '/v2/models/iris/stats', '/v2/models/iris/versions/1/stats']) {
      const { body } = await ask('GET', path);
      fits('stats', body);
      expect(body.model_stats).toMatchObject([
        { name: 'iris', inference_count: 1, batch_stats: [{ batch_size: 1 }] },
      ]);
    }

    const index = await ask('POST', '/v2/repository/index');
    fits('index', index.body);
    expect(index.body.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual([
      ['digits', 'UNAVAILABLE'],
      ['iris', 'READY'],
    ]);
    expect((await ask('POST', '/v2/repository/index', { ready: true })).body).toHaveLength(1);
    expect(await ask('POST', '/v2/repository/models/digits/load')).toEqual({ status: 200, body: undefined });
    expect((await ask('GET', '/v2/models/digits/ready')).status).toBe(200);
    expect(await ask('POST', '/v2/repository/models/digits/unload')).toEqual({
      status: 200,
      body: undefined,
    });
    expect((await ask('GET', '/v2/models/digits/ready')).status).not.toBe(200);

    fits('logging', (await ask('GET', '/v2/logging')).body);
    fits('logging', (await ask('POST', '/v2/logging', { log_verbose_level: 1 })).body);

    const generated = await ask('POST', '/v2/models/iris/generate', { X: [5.1, 3.5, 1.4, 0.2] });
    fits('generated', generated.body);
    expect(generated.body).toMatchObject({ label: 0, probabilities: expect.any(Array) });
  });

  it('call a dimension rows where they do not influence each other, and only there', async () => {
    const mixing = fileURLToPath(new URL('../fixtures/row_mixing.onnx', import.meta.url));
    repository.copy(mixing, 'mixing/1/model.onnx');
    expect((await ask('POST', '/v2/repository/models/mixing/load')).status).toBe(200);
    const sizeOf = async (model: string) => {
      const { body } = await ask('GET', `/v2/models/${model}/config`);
      return [body.max_batch_size > 0, body.input[0].dims];
    };
    expect(await sizeOf('iris')).toEqual([true, [4]]);
    expect(await sizeOf('mixing')).toEqual([false, [-1, expect.any(Number)]]);
  });

  it('answer classes as texts of the documented form', async () => {
    const outputs = [{ name: 'probabilities', parameters: { classification: 2 } }];
    const { body } = await inferIris({ outputs });
    expect(body.outputs).toMatchObject([{ name: 'probabilities', datatype: 'BYTES', shape: [1, 2] }]);
    const [best, second] = body.outputs[0].data;
    expect(best).toBe('1.000000:0:setosa');
    expect(second).toMatch(/^0\.\d{6}:1:versicolor$/);
  });

  it('say what is wrong in an error object', async () => {
    const answers = [
      await ask('GET', '/v2/models/nobody/config'),
      await ask('GET', '/v2/models/nobody/stats'),
      await ask('POST', '/v2/repository/models/nobody/load'),
      await ask('POST', '/v2/repository/models/nobody/unload'),
      await ask('POST', '/v2/repository/models/..%2Firis/load'),
      await ask('POST', '/v2/repository/models/iris/load', { parameters: { config: 'input {}' } }),
      await ask('POST', '/v2/logging', { log_file: '/tmp/x' }),
      await ask('POST', '/v2/models/nobody/generate', { text_input: 'x' }),
      await ask('GET', '/v2/trace/setting'),
      await ask('GET', '/v2/systemsharedmemory/status'),
    ];
    for (const { body } of answers) fits('error', body);
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 400, 400, 501, 404, 501, 501]);
    for (const at of [0, 1, 7]) {
      expect(answers[at]?.body.error).toContain("Request for unknown model: 'nobody' is not found");
    }
  });
});
