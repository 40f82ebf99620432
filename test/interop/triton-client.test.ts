/** Triton's Python client, as it comes from PyPI, must not notice that it talks to another server. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { describeWith, MODELS, pythonPath } from '../require.ts';
import { serve } from '../support/serve.ts';

describeWith(['data', 'tritonclient'], "Triton's Python client", () => {
  const names = readdirSync(join(MODELS, 'qa_identity')).filter((name) => name.startsWith('onnx_zero_1_'));
  const server = serve(names.map((name) => ({ name, path: `qa_identity/${name}/model.onnx` })));

  it('manages, infers in every datatype and both encodings, compresses, and is refused politely', async () => {
    const script = join(import.meta.dirname, 'triton_client.py');
    const { stdout } = await promisify(execFile)(pythonPath(), [script, new URL(server.url).host]);
    expect(stdout.trim()).toMatch(/^\d\d+ checks held$/);
  });

  it('does the same over gRPC, one after the other, side by side, and in streams', async () => {
    const script = join(import.meta.dirname, 'triton_grpc_client.py');
    const { stdout } = await promisify(execFile)(pythonPath(), [script, server.grpcAddress]);
    expect(stdout.trim()).toMatch(/^\d\d+ checks held$/);
  });
});
