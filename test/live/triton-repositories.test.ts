import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createServer } from '../../src/server.ts';
import { describeWith, MODELS } from '../require.ts';
import { modelRepository } from '../support/model-repository.ts';

describeWith(['data'], "a repository of Triton's own examples", () => {
  const repository = modelRepository();

  it.each([
    ['simple', 'triton_simple', 'INT32', [1, 2]],
    ['simple_int8', 'triton_simple_int8', 'INT8', [1, 2]],
    ['simple_string', 'triton_simple_string', 'BYTES', ['1', '2']],
  ])('serves %s as its configuration says', async (name, folder, datatype, [a, b]) => {
    repository.copy(join(MODELS, folder, 'config.pbtxt'), `${name}/config.pbtxt`);
    repository.copy(join(MODELS, folder, 'model.onnx'), `${name}/1/model.onnx`);
    const server = await createServer({ models: [repository.path], httpPort: 0, metricsPort: false });
    try {
      const served = server.registry.find(name);
      expect(served.config?.max_batch_size).toBe(8);
      const input = (input: string, value: unknown) => ({
        name: input,
        datatype,
        shape: [1, 16],
        data: Array(16).fill(value),
      });
      const response = await fetch(`${server.url}/v2/models/${name}/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs: [input('INPUT0', a), input('INPUT1', b)] }),
      });
      expect(await response.json()).toMatchObject({
        outputs: [
          { name: 'OUTPUT0', shape: [1, 16], data: Array(16).fill(datatype === 'BYTES' ? '3' : 3) },
          { name: 'OUTPUT1', shape: [1, 16], data: Array(16).fill(datatype === 'BYTES' ? '-1' : -1) },
        ],
      });
    } finally {
      await server.close({ graceMs: 0 });
    }
  });
});
