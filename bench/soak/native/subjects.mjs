import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readModelFile } from '../../../dist/base/onnx/model-file.js';
import { BORROWED } from '../../../dist/base/tensor/owner.js';
import { systemClock } from '../../../dist/base/util/clock.js';
import { createSeededRandom } from '../../../dist/base/util/seeded-random.js';
import { openOrtSession } from '../../../dist/engine/onnxruntime/session.js';
import { findExample, recipeInputs } from '../../../dist/engine/self-test.js';
import { toArtifact } from '../../../dist/registry/artifact.js';
import { places, ROOT } from '../../harness/places.mjs';

/** Where models are: all that are there take part. */
const FOLDERS = ['examples/demo', 'test/fixtures', 'test/engine/fixtures'].map((folder) =>
  join(ROOT, folder),
);
/** Rows of requests, where the file does not fix them, and so many of each with other values. */
const ROWS = [1, 2, 3, 7, 16, 33, 64];
const OF_EACH = 3;
/** Larger answers are compared too rarely to be worth their memory. */
const MOST_BYTES = 4 * 2 ** 20;
/** Runs that take longer would be most of the time. */
const LONGEST_NS = 60e6;

/**
 * Models with requests and what the add-on of onnxruntime-node answers to each, or how it refuses it. Models that answer
 * the same request in two ways are left out, as are those that it does not load.
 */
export async function findSubjects() {
  const { data, built } = places();
  const folders = [...FOLDERS, join(data, 'models'), built].filter((folder) => existsSync(folder));
  const subjects = [];
  for (const path of folders.flatMap(modelsIn)) {
    const subject = await subjectOf(path).catch(() => undefined);
    if (subject !== undefined && subject.requests.length > 0) subjects.push(subject);
  }
  return subjects;
}

function modelsIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => /\.(onnx|ort)$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

async function subjectOf(path) {
  const artifact = await toArtifact(await readModelFile(path));
  if (artifact.crashOperator !== undefined) return undefined;
  const session = await openOrtSession({ path, intraOpThreads: 1 }, systemClock);
  try {
    const { signature, indexLimits } = served(artifact, session);
    const found = await findExample({ signature, indexLimits, run: session.run, clock: systemClock });
    if (!found.ok || found.runNs > LONGEST_NS) return undefined;
    const outputs = signature.outputs.map(({ name }) => name);
    const requests = [];
    for (const inputs of variants(signature, indexLimits, found)) {
      const request = await answered(session, inputs, outputs);
      if (request !== undefined) requests.push(request);
    }
    return { name: relative(ROOT, path), path, requests, runNs: Math.max(1000, found.runNs) };
  } finally {
    await session.close();
  }
}

/** As the engine does: what the add-on cannot feed or fetch is left out. */
function served({ signature, indexLimits }, { info }) {
  const has = (values, { name }) => values.some((one) => one.name === name && one.datatype !== undefined);
  return {
    indexLimits,
    signature: {
      ...signature,
      inputs: signature.inputs.filter((spec) => has(info.inputs, spec)),
      outputs: signature.outputs.filter((spec) => has(info.outputs, spec)),
    },
  };
}

function* variants(of, indexLimits, { inputs, recipe }) {
  yield inputs;
  const isOpen = of.inputs.every(({ shape }) => shape[0] === -1);
  // Whether or not rows are independent: answers are compared whole.
  const signature = isOpen ? { ...of, batchAxis: 0 } : of;
  for (const rows of isOpen ? ROWS : [1]) {
    for (let seed = 0; seed < OF_EACH; seed += 1)
      yield recipeInputs(signature, recipe, { indexLimits, random: createSeededRandom(seed), rows });
  }
  // Whatever indexes a table with these is outside of it.
  yield inputs.map((input) =>
    input.datatype === 'INT64' ? { ...input, data: input.data.map(() => 99_999_999n) } : input,
  );
}

/** The request with its answer, or with its refusal; undefined: the answer is too large, or differs from time to time. */
async function answered(session, inputs, outputs) {
  const request = { inputs, outputs, owner: BORROWED };
  try {
    const first = await session.run(request);
    const second = await session.run(request);
    const expected = first.outputs.map(bytesOf);
    const size = expected.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (size > MOST_BYTES || !isSame(second.outputs, expected)) return undefined;
    return { inputs, outputs, expected };
  } catch ({ code, message }) {
    return { inputs, outputs, refusal: `${code}: ${message}` };
  }
}

/** What an output holds, in bytes. */
function bytesOf({ name, datatype, shape, data }) {
  const views = ArrayBuffer.isView(data) ? [data] : [data.bytes, data.offsets];
  const parts = views.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return { name: `${name} ${datatype} [${shape}]`, bytes: Buffer.concat(parts) };
}

export function isSame(outputs, expected) {
  return (
    outputs.length === expected.length &&
    outputs.every((output, at) => {
      const { name, bytes } = bytesOf(output);
      return name === expected[at].name && bytes.equals(expected[at].bytes);
    })
  );
}
