import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DATA } from '../require.ts';
import type { FuzzTarget } from './target.ts';
import { createTargets } from './targets/all.ts';

const FINDINGS = join(import.meta.dirname, 'findings');
const findings = existsSync(FINDINGS) ? readdirSync(FINDINGS).filter((name) => name.endsWith('.bin')) : [];

let targets: readonly FuzzTarget[] = [];
beforeAll(async () => {
  targets = await createTargets(DATA);
});
afterAll(async () => {
  for (const target of targets) await target.close?.();
});

const TARGETS = [
  'onnx',
  'oip-request',
  'oip-response',
  'oip-raw',
  'generate',
  'npy',
  'config',
  'env',
  'textproto',
  'engine-frames',
  'grpc-infer',
  'grpc-frames',
  'http',
  'grpc-call',
  'http2-bytes',
];

describe('foreign bytes', () => {
  // The search for new findings is `npm run fuzz`, with a new seed each time; this keeps its targets alive.
  it.each(TARGETS)('%s gives a result or says what is wrong', async (name) => {
    const target = targets.find((one) => one.name === name)!;
    await fc.assert(
      fc.asyncProperty(target.inputs, async (input) => target.run(input)),
      {
        seed: 1,
        numRuns: 100,
      },
    );
  });

  it('are read by nothing else', () => {
    expect(targets.map(({ name }) => name)).toEqual(TARGETS);
  });

  it('are listed with what reads them in docs/testing.md', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/testing.md'), 'utf8');
    expect(TARGETS.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(findings)('%s, which once broke a reader, no longer does', async (file) => {
    const name = file.replace(/-[0-9a-f]+\.bin$/, '');
    const target = targets.find((one) => one.name === name);
    await expect((async () => target!.run(readFileSync(join(FINDINGS, file))))()).resolves.toBeUndefined();
  });
});
