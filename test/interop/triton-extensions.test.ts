/** The extensions that Triton's Python clients have calls for, as they come from PyPI. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createPinoLogger } from '../../src/base/telemetry/pino-log.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { describeWith } from '../require.ts';
import { IRIS, modelRepository } from '../support/model-repository.ts';
import { runPython } from './run-python.ts';

const CONFIG = 'max_batch_size: 8 output { name: "probabilities" label_filename: "labels.txt" }';
const SCRIPT = join(import.meta.dirname, 'triton_extensions.py');

describeWith(['tritonclient'], "the extensions, to Triton's Python clients", () => {
  const repository = modelRepository();
  let server: RunningServer;

  beforeEach(async () => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.write('iris/labels.txt', 'setosa\nversicolor\nvirginica\n');
    repository.write('iris/config.pbtxt', CONFIG);
    server = await createServer({
      ...{ models: [repository.path], httpPort: 0, grpcPort: 0, metricsPort: false },
      repository: { mode: 'explicit' },
      log: createPinoLogger({ sink: { write() {} } }),
    });
  });

  afterEach(() => server.close({ graceMs: 0 }));

  it.each(['http', 'grpc'])(
    'load and unload models, tell of them, and answer in classes: %s',
    async (protocol) => {
      const address = protocol === 'http' ? new URL(server.url).host : (server.grpcAddress ?? '');
      expect(await runPython(SCRIPT, [protocol, address, IRIS])).toMatch(/^\d\d checks held$/);
    },
  );
});
