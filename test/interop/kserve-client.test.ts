/** The inference clients of KServe's Python SDK, as it comes from PyPI. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { modelOf, serve } from '../support/serve.ts';
import { runPython } from './run-python.ts';

describeWith(['data', 'kserve'], "KServe's Python SDK", () => {
  const names = readdirSync(join(MODELS, 'qa_identity')).filter((name) => name.startsWith('onnx_zero_1_'));
  const server = serve([
    modelOf('triton_simple'),
    ...names.map((name) => ({ name, path: `qa_identity/${name}/model.onnx` })),
  ]);

  it('asks over REST, v2 and v1, and over gRPC', async () => {
    const script = join(import.meta.dirname, 'kserve_client.py');
    expect(await runPython(script, [server.url, server.grpcAddress])).toMatch(/^\d+ checks held$/);
  });
});
