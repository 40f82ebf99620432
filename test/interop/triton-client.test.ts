/** Triton's Python client, as it comes from PyPI, must not notice that it talks to another server. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith, MODELS } from '../require.ts';
import { serve } from '../support/serve.ts';
import { runPython } from './run-python.ts';

describeWith(['data', 'tritonclient'], "Triton's Python client", () => {
  const names = readdirSync(join(MODELS, 'qa_identity')).filter((name) => name.startsWith('onnx_zero_1_'));
  const server = serve(names.map((name) => ({ name, path: `qa_identity/${name}/model.onnx` })));

  it('manages, infers in every datatype and both encodings, compresses, and is refused politely', async () => {
    const script = join(import.meta.dirname, 'triton_client.py');
    expect(await runPython(script, [new URL(server.url).host])).toMatch(/^\d\d+ checks held$/);
  });

  it('does the same over gRPC, one after the other, side by side, and in streams', async () => {
    const script = join(import.meta.dirname, 'triton_grpc_client.py');
    expect(await runPython(script, [server.grpcAddress])).toMatch(/^\d\d+ checks held$/);
  });
});
