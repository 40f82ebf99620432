import { describe, expect, it } from 'vitest';
import { IRIS, modelRepository, TRUNCATED } from '../../test/support/model-repository.ts';
import { runNimify } from '../../test/support/nimify.ts';

describe('nimify inspect --triton', () => {
  const repository = modelRepository();

  it('says field by field what is honoured, ignored and refused, the shapes of both sides shown', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write(
      'iris/config.pbtxt',
      'max_batch_size: 8\ninput { name: "X" data_type: TYPE_FP32 dims: 5 }\nresponse_cache { enable: true }\n',
    );
    const { stdout, exitCode } = await runNimify('inspect', '--triton', repository.path);
    expect(stdout).toMatch(
      /honoured +max_batch_size +a request may have 8 rows, and so may a batch \(line 1\)/,
    );
    expect(stdout).toMatch(/ignored +response_cache .*\(line 3\)/);
    const refusal =
      "[-1,5] (with the rows of max_batch_size), but the model's own shape is [N,4]; give the model's";
    expect(stdout).toMatch(/refused +input\[0\]\.dims /);
    expect(stdout).toContain(
      `UNAVAILABLE: ${repository.at('iris/config.pbtxt')}:2:40: input[0].dims: ${refusal}`,
    );
    expect(stdout).toContain('0 of 1 would be served');
    expect(exitCode).toBe(69);
  });

  it('prints one JSON object', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(IRIS, 'plain/3/model.onnx');
    repository.copy(TRUNCATED, 'half/1/model.onnx');
    repository.write('iris/config.pbtxt', 'name: "iris"');
    const { stdout, exitCode } = await runNimify('inspect', '--triton', '--json', repository.path);
    const { models } = JSON.parse(stdout);
    expect(models).toMatchObject([
      { model: 'half', version: '1', servable: false, code: 'INVALID_INPUT', fields: [] },
      {
        model: 'iris',
        servable: true,
        file: repository.at('iris/config.pbtxt'),
        config: { name: 'iris', input: [{ name: 'X', data_type: 'TYPE_FP32', dims: [4] }] },
        fields: [{ field: 'name', verdict: 'honoured', at: { line: 1, column: 1 } }],
      },
      {
        model: 'plain',
        version: '3',
        servable: true,
        signature: { inputs: [{ name: 'X', shape: [-1, 4] }] },
      },
    ]);
    expect(exitCode).toBe(65);
  });

  it('refuses what is no repository', async () => {
    repository.copy(IRIS, 'iris.onnx');
    const { stderr, exitCode } = await runNimify('inspect', '--triton', repository.path);
    expect(stderr).toContain('no model repository; expected folders <model>/<version>/model.onnx');
    expect(exitCode).toBe(66);
  });
});
