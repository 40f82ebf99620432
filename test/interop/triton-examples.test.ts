/** What the examples of Triton's Python clients do, on the models that these examples are for. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createServer, type RunningServer } from '../../src/server.ts';
import { describeWith, MODELS } from '../require.ts';
import { DIGITS, modelRepository } from '../support/model-repository.ts';
import { runPython } from './run-python.ts';

const SCRIPT = join(import.meta.dirname, 'triton_examples.py');
const IMAGES = join(import.meta.dirname, '../../examples/demo/digits/held_out_digits.json');
const DIGITS_CONFIG = 'max_batch_size: 16 output { name: "probabilities" label_filename: "labels.txt" }';

describeWith(['data', 'tritonclient'], "the examples of Triton's Python clients", () => {
  const repository = modelRepository();
  let server: RunningServer;

  beforeEach(async () => {
    for (const name of ['simple', 'simple_int8', 'simple_string']) {
      repository.copy(join(MODELS, `triton_${name}`, 'config.pbtxt'), `${name}/config.pbtxt`);
      repository.copy(join(MODELS, `triton_${name}`, 'model.onnx'), `${name}/1/model.onnx`);
    }
    repository.copy(join(MODELS, 'triton_identity/model.onnx'), 'simple_identity/1/model.onnx');
    repository.copy(DIGITS, 'digits/1/model.onnx');
    repository.write('digits/config.pbtxt', DIGITS_CONFIG);
    repository.write('digits/labels.txt', Array.from({ length: 10 }, (_, digit) => `${digit}\n`).join(''));
    server = await createServer({
      ...{ models: [repository.path], httpPort: 0, grpcPort: 0, metricsPort: false },
      repository: { mode: 'explicit', load: ['*'] },
    });
  });

  afterEach(() => server.close({ graceMs: 0 }));

  it.each(['http', 'http.aio', 'grpc', 'grpc.aio'])('work as they are: %s', async (protocol) => {
    const address = protocol.startsWith('http') ? new URL(server.url).host : (server.grpcAddress ?? '');
    expect(await runPython(SCRIPT, [protocol, address, IMAGES])).toMatch(/^\d+ checks held$/);
  });
});
