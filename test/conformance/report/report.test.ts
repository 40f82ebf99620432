/**
 * Asks a server that runs for every operation of the Open Inference Protocol and of Triton's extensions, holds the
 * answers to what the protocols' documents say, and docs/conformance.md to what was found.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IRIS, TRUNCATED } from '../../support/model-repository.ts';
import { SECTIONS } from './cases/all.ts';
import { ELEMENT_TYPES, identityModel, identityName, type OipDatatype, put } from './models.ts';
import type { Probe, Verdict } from './probe.ts';
import { probesOf, render, TRANSPORT_NAMES } from './render.ts';
import { type Repository, type RunningTarget, startTarget } from './target.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = join(ROOT, 'docs/conformance.md');
const DEMO = join(ROOT, 'examples/demo');
const BF16 = join(ROOT, 'test/fixtures/bf16_identity.onnx');

const DATATYPES = Object.keys(ELEMENT_TYPES) as OipDatatype[];

const IRIS_CONFIG = `
  max_batch_size: 8
  version_policy { all { } }
  output [{ name: "label" }, { name: "probabilities" label_filename: "labels.txt" }]
`;

describe('a server, held to the documents of the protocols', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nimify-conformance-'));
  const verdicts = new Map<Probe, Verdict>();
  let target: RunningTarget;

  beforeAll(async () => {
    target = await startTarget(...fill(folder));
  });

  afterAll(async () => {
    await target?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const section of SECTIONS) {
    describe(section.title, () => {
      for (const [{ operation, says }, transport, probe] of probesOf(section)) {
        it(`${operation} over ${TRANSPORT_NAMES[transport]}: ${says}`, async () => {
          verdicts.set(probe, await probe.judge(target));
        });
      }
    });
  }

  it('docs/conformance.md says what was found (to write it: npm run conformance)', async () => {
    expect(verdicts.size).toBe(SECTIONS.flatMap(probesOf).length);
    const parts = /^([\s\S]*<!-- report -->\n)[\s\S]*$/.exec(readFileSync(PAGE, 'utf8'));
    expect(parts, 'the marker above the report').not.toBeNull();
    await expect(`${parts?.[1]}\n${render(SECTIONS, verdicts)}`).toMatchFileSnapshot(PAGE);
  });
});

/** Two repositories: in the one `bf16` is left until it is asked for, in the other a model cannot be loaded. */
function fill(root: string): [whole: Repository, broken: string] {
  const [whole, broken] = [join(root, 'whole'), join(root, 'broken')];
  const models = new Map<string, Uint8Array>([
    ...['iris', 'counted', 'control'].map((name) => [name, readFileSync(IRIS)] as const),
    ...['churn', 'langid'].map((name) => [name, readFileSync(join(DEMO, name, 'model.onnx'))] as const),
    ...DATATYPES.map((datatype) => [identityName(datatype), identityModel(datatype)] as const),
  ]);
  for (const [name, model] of models) put(whole, `${name}/1/model.onnx`, model);
  put(whole, 'iris/2/model.onnx', readFileSync(IRIS));
  put(whole, 'iris/config.pbtxt', IRIS_CONFIG);
  put(whole, 'iris/labels.txt', 'setosa\nversicolor\nvirginica\n');
  put(whole, 'bf16/1/model.onnx', readFileSync(BF16));
  put(broken, 'iris/1/model.onnx', readFileSync(IRIS));
  put(broken, 'broken/1/model.onnx', readFileSync(TRUNCATED));
  return [{ folder: whole, load: [...models.keys()] }, broken];
}
