/** The extensions that Triton's Python client has calls for, as it comes from PyPI. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createPinoLogger } from '../../src/base/telemetry/pino-log.ts';
import { createServer } from '../../src/server.ts';
import { describeWith, pythonPath } from '../require.ts';
import { IRIS, modelRepository } from '../support/model-repository.ts';

const CONFIG = 'max_batch_size: 8 output { name: "probabilities" label_filename: "labels.txt" }';

describeWith(['tritonclient'], "the extensions, to Triton's Python client", () => {
  const repository = modelRepository();

  it('load and unload models, tell of them, and answer in classes', async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write('iris/labels.txt', 'setosa\nversicolor\nvirginica\n');
    repository.write('iris/config.pbtxt', CONFIG);
    const server = await createServer({
      ...{ models: [repository.path], httpPort: 0, metricsPort: false },
      repository: { mode: 'explicit' },
      log: createPinoLogger({ sink: { write() {} } }),
    });
    try {
      const script = join(import.meta.dirname, 'triton_extensions.py');
      const { stdout } = await promisify(execFile)(pythonPath(), [script, new URL(server.url).host, IRIS]);
      expect(stdout.trim()).toMatch(/^\d\d checks held$/);
    } finally {
      await server.close({ graceMs: 0 });
    }
  });
});
