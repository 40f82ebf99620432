import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelFile } from '../base/onnx/model-file.ts';
import { toArtifact } from './artifact.ts';

const embedding = fileURLToPath(new URL('../../test/fixtures/embedding.onnx', import.meta.url));

describe('toArtifact', () => {
  it('notes the operator that empty tensors must be kept from, if there is one', async () => {
    const file = await readModelFile(embedding);
    expect((await toArtifact(file)).signature).not.toHaveProperty('operatorAgainstEmpty');
    const recurrent = { ...file, operators: { ...file.operators, LSTM: 1 } };
    expect((await toArtifact(recurrent)).signature.operatorAgainstEmpty).toBe('LSTM');
  });
});
