import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readModelFile } from '../base/onnx/model-file.ts';
import { toArtifact } from './artifact.ts';

const slow = fileURLToPath(new URL('../../test/fixtures/slow.onnx', import.meta.url));
const embedding = fileURLToPath(new URL('../../test/fixtures/embedding.onnx', import.meta.url));

describe('toArtifact', () => {
  it('notes the operator that empty tensors must be kept from, if there is one', async () => {
    const file = await readModelFile(embedding);
    expect((await toArtifact(file)).signature).not.toHaveProperty('operatorAgainstEmpty');
    const recurrent = { ...file, operators: { ...file.operators, LSTM: 1 } };
    expect((await toArtifact(recurrent)).signature.operatorAgainstEmpty).toBe('LSTM');
  });

  it('notes what values of a request can do to the engine', async () => {
    const file = await readModelFile(embedding);
    expect(await toArtifact(file)).not.toHaveProperty('crashOperator');
    const risky = { ...file, valueRisks: { crashOperator: 'Div', emptyKernelOperator: 'Conv' } };
    const { crashOperator, signature } = await toArtifact(risky);
    expect([crashOperator, signature.operatorAgainstEmpty]).toEqual(['Div', 'Conv']);
  });

  it('notes a loop, whose time depends on values', async () => {
    expect((await toArtifact(await readModelFile(slow))).loopOperator).toBe('Loop');
    expect(await toArtifact(await readModelFile(embedding))).not.toHaveProperty('loopOperator');
  });
});
