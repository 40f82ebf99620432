import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith, MODELS } from '../../../test/require.ts';
import { NimifyError } from '../errors/nimify-error.ts';
import { readModelFile } from './model-file.ts';

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const OWN = [
  ...['embedding.onnx', 'embedding_paths.onnx', 'zipmap.onnx', 'slow.onnx', 'function_op.onnx'],
  ...['sparse_weights.onnx', 'external_data/model.onnx', 'optional_input.onnx', 'sequence_input.onnx'],
  ...['embedding.ort', 'embedding_paths.ort', 'zipmap.ort'],
].map((name) => join(FIXTURES, name));
const THIRD_PARTY = [
  ...['mnist/model.onnx', 'mnist/model.ort', 'dummy_transformer/model.onnx', 'triton_simple/model.onnx'],
  ...['silero_vad/model.onnx', 'own_langid/model.onnx', 'light_resnet50/model.onnx'],
].map((name) => join(MODELS, name));

/** One change to a file. Positions are fractions of its length, so that they fit files of any size. */
const change = fc.record({
  kind: fc.constantFrom('flip', 'set', 'cut', 'splice', 'grow', 'copy'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  from: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.constantFrom(0, 1, 2, 0x0a, 0x2a, 0x3a, 0x7f, 0x80, 0xff),
  length: fc.integer({ min: 1, max: 64 }),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, { kind, at, from, byte, length }: Change): Uint8Array {
  const position = Math.floor(at * bytes.length);
  const source = Math.floor(from * bytes.length);
  const before = bytes.subarray(0, position);
  const copy = Uint8Array.from(bytes);
  if (kind === 'cut') return before;
  if (kind === 'splice') return Buffer.concat([before, bytes.subarray(Math.max(position, source))]);
  if (kind === 'grow')
    return Buffer.concat([before, new Uint8Array(length).fill(byte), bytes.subarray(position)]);
  if (kind === 'copy') copy.copyWithin(position, source, source + length);
  else if (position < copy.length)
    copy[position] = kind === 'set' ? byte : (copy[position] as number) ^ (1 << (length % 8));
  return copy;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nimify-mutated-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Reading gives a model or a NimifyError that is not a fault of ours. */
async function expectModelOrRefusal(bytes: Uint8Array): Promise<void> {
  const path = join(folder, 'mutated.onnx');
  await writeFile(path, bytes);
  try {
    const file = await readModelFile(path);
    expect(Number.isSafeInteger(file.parameterCount)).toBe(true);
    for (const { shape } of [...file.inputs, ...file.outputs]) {
      for (const dim of shape ?? []) expect(dim).toBeGreaterThanOrEqual(-1);
    }
    JSON.stringify(file);
  } catch (error) {
    if (!(error instanceof NimifyError)) throw error;
    expect(['INVALID_INPUT', 'UNSUPPORTED']).toContain(error.code);
    expect(error.cause).toBeUndefined();
  }
}

function expectMutantsRead(paths: readonly string[], runs: number): Promise<void> {
  const originals = paths.map((path) => readFileSync(path));
  const mutant = fc.tuple(fc.constantFrom(...originals), fc.array(change, { minLength: 1, maxLength: 8 }));
  return fc.assert(
    fc.asyncProperty(mutant, async ([original, changes]) => {
      await expectModelOrRefusal(changes.reduce(changed, original as Uint8Array));
    }),
    { numRuns: runs },
  );
}

describe('readModelFile on damaged files', () => {
  it('gives a model or an error that says what is wrong', async () => {
    await expectMutantsRead(OWN, 800);
  });

  it('takes any bytes after a plausible beginning', async () => {
    const beginning = fc.constantFrom([0x08, 0x08, 0x3a], [0x3a], [0x18, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d]);
    const tail = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(beginning, tail, (start, rest) =>
        expectModelOrRefusal(Uint8Array.from([...start, ...rest])),
      ),
      { numRuns: 500 },
    );
  });
});

describeWith(['data'], 'readModelFile on damaged third-party files', () => {
  it('gives a model or an error that says what is wrong', async () => {
    await expectMutantsRead(THIRD_PARTY, 150);
  });
});
