/** What a repository's configurations say of its models, and models of it that cannot be served. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DIGITS, IRIS, modelRepository, TRUNCATED } from '../support/model-repository.ts';
import { askIris, closeServers, serveRepository } from '../support/repository-server.ts';

afterEach(closeServers);

describe('a repository with models that cannot be served', () => {
  const repository = modelRepository();

  function fill(): void {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write('engine/1/model.plan', '');
    repository.write('script/config.pbtxt', 'backend: "python"');
    repository.write('script/1/model.py', '');
  }

  it('serves the rest, and says why in the index', async () => {
    fill();
    const server = await serveRepository(repository.path, {});
    expect((await askIris(server)).status).toBe(200);
    expect(server.registry.isReady()).toBe(true);
    expect(await server.control.index()).toEqual([
      {
        name: 'engine',
        version: '1',
        state: 'UNAVAILABLE',
        reason: expect.stringContaining("the backend 'tensorrt'"),
      },
      { name: 'iris', version: '1', state: 'READY', reason: '' },
      {
        name: 'script',
        version: '1',
        state: 'UNAVAILABLE',
        reason: expect.stringContaining("the backend 'python'"),
      },
    ]);
    const refused = await askIris(server, 'script');
    expect([refused.status, ((await refused.json()) as { error: string }).error]).toEqual([
      503,
      expect.stringContaining("Request for unknown model: 'script' has no available versions"),
    ]);
  });

  it('is ready or not, and starts or not, as the options say', async () => {
    fill();
    expect((await serveRepository(repository.path, { strictReadiness: true })).registry.isReady()).toBe(
      false,
    );
    await expect(serveRepository(repository.path, { exitOnError: true })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });

    repository.copy(TRUNCATED, 'half/1/model.onnx');
    await expect(serveRepository(repository.path, {})).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const server = await serveRepository(repository.path, { exitOnError: false });
    expect(server.registry.isReady()).toBe(false);
    expect((await askIris(server)).status).toBe(200);
    const lenient = await serveRepository(repository.path, { exitOnError: false, strictReadiness: false });
    expect(lenient.registry.isReady()).toBe(true);
  });

  it('does not start where nothing of it can be served', async () => {
    fill();
    repository.remove('iris');
    await expect(serveRepository(repository.path, {})).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('2 of 2 models cannot be served'),
    });
  });
});

describe('a configured model', () => {
  const repository = modelRepository();

  it('is what its configuration says: shapes, outputs, labels, versions, instances, warm-up', async () => {
    repository.copy(DIGITS, 'digits/1/model.onnx');
    repository.copy(DIGITS, 'digits/4/model.onnx');
    repository.write('digits/names.txt', Array.from({ length: 10 }, (_, at) => `digit ${at}\n`).join(''));
    repository.write('digits/warmup/image.raw', new Uint8Array(64 * 4));
    repository.write(
      'digits/config.pbtxt',
      `name: "digits" platform: "onnxruntime_onnx" max_batch_size: 2
       input { name: "image" data_type: TYPE_FP32 dims: [ 64 ] reshape { shape: [ 1, 8, 8 ] } }
       output { name: "probabilities" data_type: TYPE_FP32 dims: 10 label_filename: "names.txt" }
       version_policy { all { } } instance_group { count: 1 kind: KIND_CPU }
       model_warmup { name: "zeros" batch_size: 1 count: 2 inputs { key: "image" value { data_type: TYPE_FP32 dims: 64 zero_data: true } } }
       model_warmup { name: "any" batch_size: 2 inputs { key: "image" value { data_type: TYPE_FP32 dims: 64 random_data: true } } }
       model_warmup { name: "file" batch_size: 2 inputs { key: "image" value { data_type: TYPE_FP32 dims: 64 input_data_file: "image.raw" } } }`,
    );
    const server = await serveRepository(repository.path, {});
    expect(server.registry.list().map(({ version }) => version)).toEqual(['1', '4']);
    const served = server.registry.find('digits');
    expect(served.labels.probabilities?.[3]).toBe('digit 3');
    expect(served.example?.inputs[0]?.shape).toEqual([1, 64]);
    const metadata = await (await fetch(`${server.url}/v2/models/digits`)).json();
    expect(metadata).toMatchObject({
      versions: ['1', '4'],
      inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 64] }],
      outputs: [{ name: 'probabilities', shape: [-1, 10] }],
    });
    const inferRows = async (rows: number) => {
      const inputs = [{ name: 'image', datatype: 'FP32', shape: [rows, 64], data: Array(rows * 64).fill(1) }];
      const response = await fetch(`${server.url}/v2/models/digits/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      });
      return { status: response.status, body: await response.json() };
    };
    expect(await inferRows(2)).toMatchObject({
      status: 200,
      body: { outputs: [{ name: 'probabilities', shape: [2, 10] }] },
    });
    expect(await inferRows(3)).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('takes at most 2 rows') },
    });
  });

  it.each([
    [
      'a file of a warm-up that is too short',
      'batch_size: 1 inputs { key: "X" value { data_type: TYPE_FP32 dims: 4 input_data_file: "short" } }',
      "model_warmup[0]: inputs['X']: short: expected 16 bytes",
    ],
    [
      'a file of a warm-up that is not there',
      'batch_size: 1 inputs { key: "X" value { data_type: TYPE_FP32 dims: 4 input_data_file: "nowhere" } }',
      'there is no file',
    ],
    [
      'an input of another shape',
      'batch_size: 1 inputs { key: "X" value { data_type: TYPE_FP32 dims: 5 zero_data: true } }',
      'model_warmup[0]: inputs[0].shape',
    ],
    ['no inputs', 'batch_size: 1', 'model_warmup[0]: '],
  ])('is refused with %s', async (_, warmup, says) => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write('iris/warmup/short', 'x');
    repository.write('iris/config.pbtxt', `model_warmup { ${warmup} }`);
    await expect(serveRepository(repository.path, {})).rejects.toThrow(says);
  });

  it('is refused where a file of labels is not there', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write(
      'iris/config.pbtxt',
      'output { name: "probabilities" data_type: TYPE_FP32 dims: 3 label_filename: "none.txt" }',
    );
    await expect(serveRepository(repository.path, {})).rejects.toThrow(
      `output[0].label_filename: there is no file ${join(repository.at('iris'), 'none.txt')}`,
    );
  });
});
