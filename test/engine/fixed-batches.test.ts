/** Models of fixed batches, served to requests of any number of rows: the engine's own answers to full batches. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { BatchingChoice } from '../../src/base/config/batching.ts';
import { toBytesData } from '../../src/base/tensor/bytes.ts';
import { concatRows, sliceRows } from '../../src/base/tensor/rows.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { createSeededRandom } from '../../src/base/util/seeded-random.ts';
import { createContext } from '../../src/model/context.ts';
import { createInferRequest } from '../../src/model/request.ts';
import { loadModel } from '../../src/registry/load.ts';
import { createServer, type RunningServer } from '../../src/server.ts';

const FIXED_BATCH = join(import.meta.dirname, 'fixtures/fixed_batch.onnx');
const FIXED_MEAN = join(import.meta.dirname, 'fixtures/fixed_mean.onnx');
const ROWS = 8;
const ASKED = [1, 3, ROWS, ROWS + 1, 2 * ROWS, 2, 5, 1, 1, 4];

const folder = mkdtempSync(join(tmpdir(), 'nimify-fixed-'));
afterAll(() => rmSync(folder, { recursive: true }));

let server: RunningServer | undefined;
afterEach(() => server?.close({ graceMs: 1000 }));

async function serve(path: string, batching?: BatchingChoice, host: 'auto' | 'inline' | 'thread' = 'auto') {
  server = await createServer({
    models: [batching === undefined ? path : { path, batching }],
    ...{ httpPort: 0, metricsPort: false, engine: { host, instances: 1, intraOpThreads: 1 } },
  });
  return server;
}

const random = createSeededRandom(3);

function inputsOf(rows: number): readonly Tensor[] {
  const x = Float32Array.from({ length: rows * 16 }, () => 4 * random() - 2);
  const words = Array.from({ length: rows }, (_, row) => `word ${row} ${'é'.repeat(row)}`);
  return [
    { name: 'x', datatype: 'FP32', shape: [rows, 16], data: x },
    { name: 'word', datatype: 'BYTES', shape: [rows, 1], data: toBytesData(words) },
  ];
}

/** What the model itself answers to a batch that is filled up with the last row, batch by batch. */
async function bareAnswers(
  requests: readonly (readonly Tensor[])[],
): Promise<readonly (readonly number[])[]> {
  const { model } = await loadModel(FIXED_BATCH, { engine: { host: 'inline', intraOpThreads: 1 } });
  const answers = [];
  for (const inputs of requests) {
    const rows = inputs[0]!.shape[0]!;
    const scores: number[] = [];
    for (let from = 0; from < rows; from += ROWS) {
      const to = Math.min(rows, from + ROWS);
      const last = (input: Tensor) => sliceRows(input, to - 1, to);
      const missing = Array.from({ length: ROWS - (to - from) });
      const full = inputs.map((input) =>
        concatRows([sliceRows(input, from, to), ...missing.map(() => last(input))]),
      );
      const { outputs } = await model.infer(
        createInferRequest({ model: model.name, inputs: full, outputs: ['y'] }),
        createContext(),
      );
      scores.push(...(outputs[0]!.data as Float32Array).subarray(0, (to - from) * 4));
    }
    answers.push(scores);
  }
  await model.close({ graceMs: 1000 });
  return answers;
}

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: unknown[] }[];
  readonly error?: string;
}

const DECODER = new TextDecoder();

async function ask({ url }: RunningServer, name: string, inputs: readonly Tensor[]) {
  const body = {
    inputs: inputs.map(({ data, ...rest }) => ({
      ...rest,
      data:
        'bytes' in data
          ? Array.from(data.offsets.subarray(1), (end, at) =>
              DECODER.decode(data.bytes.subarray(data.offsets[at], end)),
            )
          : Array.from(data as Float32Array),
    })),
  };
  const response = await fetch(`${url}/v2/models/${name}/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, ...((await response.json()) as Answer) };
}

/** Asked all at once. */
async function expectTogether(running: RunningServer, name: string, counts: readonly number[]) {
  const requests = counts.map(inputsOf);
  const answers = await Promise.all(requests.map((inputs) => ask(running, name, inputs)));
  expectAnswers(answers, await bareAnswers(requests), counts);
}

/** And one after the other. */
async function expectOwnAnswers(running: RunningServer, name: string, counts: readonly number[]) {
  await expectTogether(running, name, counts);
  const requests = counts.map(inputsOf);
  const answers = [];
  for (const inputs of requests) answers.push(await ask(running, name, inputs));
  expectAnswers(answers, await bareAnswers(requests), counts);
}

function expectAnswers(
  answers: readonly (Answer & { readonly status: number })[],
  bare: readonly (readonly number[])[],
  counts: readonly number[],
): void {
  for (const [at, { status, outputs }] of answers.entries()) {
    const rows = counts[at]!;
    const [y, echo] = outputs;
    expect({ status, shapes: [y!.shape, echo!.shape] }).toEqual({
      status: 200,
      shapes: [
        [rows, 4],
        [rows, 1],
      ],
    });
    expect((y!.data as number[]).map(Math.fround)).toEqual(bare[at]);
    expect(echo!.data).toEqual(Array.from({ length: rows }, (_, row) => `word ${row} ${'é'.repeat(row)}`));
  }
}

async function getJson({ url }: RunningServer, path: string): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}${path}`)).json()) as Record<string, unknown>;
}

describe('a model of batches of 8 rows', () => {
  it('is served as it is where nobody says otherwise, and says how it could be', async () => {
    const running = await serve(FIXED_BATCH);
    expect(await getJson(running, '/v2/models/fixed_batch')).toMatchObject({
      inputs: [{ shape: [8, 16] }, { shape: [8, 1] }],
    });
    const refused = await ask(running, 'fixed_batch', inputsOf(3));
    expect([refused.status, refused.error]).toEqual([
      400,
      expect.stringContaining('expected [8,16], got [3,16]'),
    ]);
    expect((await ask(running, 'fixed_batch', inputsOf(8))).status).toBe(200);
    expect(running.registry.find('fixed_batch').notes.batchAxis).toMatch(
      /^none: dimension 0 is fixed at 8 .*maxBatchSize/,
    );
  });

  it.each(['inline', 'thread'] as const)(
    'answers any number of rows with a maxBatchSize, each as a full batch would be (%s)',
    async (host) => {
      const running = await serve(FIXED_BATCH, { maxBatchSize: 8 }, host);
      expect(running.registry.find('fixed_batch').notes.batchAxis).toMatch(
        /^0: runs are filled up to 8 rows: 8 rows, one of them an outlier, get the same answers/,
      );
      expect(await getJson(running, '/v2/models/fixed_batch')).toMatchObject({
        inputs: [{ shape: [-1, 16] }, { shape: [-1, 1] }],
        outputs: [{ shape: [-1, 4] }, { shape: [-1, 1] }],
      });
      await expectOwnAnswers(running, 'fixed_batch', ASKED);
    },
  );

  it('joins rows of several requests, at most as many as are allowed, and fills up the rest', async () => {
    const running = await serve(FIXED_BATCH, { maxBatchSize: 4, maxDelayMs: 5000 }, 'thread');
    await expectTogether(running, 'fixed_batch', [1, 1, 1, 1]);
    await expectTogether(running, 'fixed_batch', [7, 8, 16]);
    const metrics = await (await fetch(`${running.url}/v1/metrics`)).text();
    const shared = /nimify_batched_requests_total\{[^}]*\} (\d+)/.exec(metrics);
    expect(Number(shared?.[1])).toBe(4);
    expect(metrics).toMatch(/nimify_batch_rows_count\{[^}]*\} 5\n/);
  });

  it('fills up each request by itself where no rows are to be joined', async () => {
    const ranRows = async (batchAxis: 'auto' | 'none') => {
      const { model } = await loadModel(FIXED_BATCH, {
        batching: { maxBatchSize: 8, maxDelayMs: 5000 },
        engine: { host: 'thread', instances: 1, batchAxis },
      });
      const answers = Array.from({ length: 4 }, () =>
        model.infer(createInferRequest({ model: model.name, inputs: inputsOf(2) }), createContext()),
      );
      const rows = (await Promise.all(answers)).map(({ report }) => report.batchRows);
      await model.close({ graceMs: 1000 });
      return rows;
    };
    expect(await ranRows('auto')).toEqual([8, 8, 8, 8]);
    expect(await ranRows('none')).toEqual([2, 2, 2, 2]);
  });

  it('refuses what it cannot fill up', async () => {
    const running = await serve(FIXED_BATCH, { maxBatchSize: 8 });
    const none = await ask(running, 'fixed_batch', inputsOf(0));
    expect([none.status, none.error]).toEqual([
      400,
      expect.stringMatching(
        /inputs\[0\].shape: expected at least one row, as many in every input, got \[0,16\]/,
      ),
    ]);
    const [x] = inputsOf(3);
    const [, word] = inputsOf(2);
    const uneven = await ask(running, 'fixed_batch', [x!, word!]);
    expect([uneven.status, uneven.error]).toEqual([
      400,
      expect.stringMatching(/dimension 'rows' is 3 in input 'x' \(axis 0\) and 2 in input 'word'/),
    ]);
  });

  it('shows an example of one row, or that which lies beside it', async () => {
    const first = await serve(FIXED_BATCH, { maxBatchSize: 8 });
    expect(first.registry.find('fixed_batch').example?.inputs[0]?.shape).toEqual([1, 16]);
    await first.close({ graceMs: 0 });
    const path = join(folder, 'example.onnx');
    copyFileSync(FIXED_BATCH, path);
    const x = Array.from({ length: 2 }, () => Array.from({ length: 16 }, () => 0.5));
    writeFileSync(
      join(folder, 'example.example.json'),
      JSON.stringify({ inputs: { x, word: [['a'], ['b']] } }),
    );
    const { registry } = await serve(path, { maxBatchSize: 8 });
    const { example } = registry.find('example');
    expect(example).toMatchObject({ origin: 'file', inputs: [{ shape: [2, 16] }, { shape: [2, 1] }] });
    expect(example?.outputs.map(({ shape }) => shape)).toEqual([
      [2, 4],
      [2, 1],
    ]);
  });

  const IO = `input [ { name: "x" data_type: TYPE_FP32 dims: 16 }, { name: "word" data_type: TYPE_STRING dims: 1 } ]
    output [ { name: "y" data_type: TYPE_FP32 dims: 4 }, { name: "echo" data_type: TYPE_STRING dims: 1 } ]`;

  it.each<[string, BatchingChoice | undefined]>([
    ['by itself', undefined],
    ['with batching off', 'off'],
  ])('is what max_batch_size of its config.pbtxt says, %s', async (_, batching) => {
    const root = mkdtempSync(join(folder, 'repository-'));
    mkdirSync(join(root, 'fixed/1'), { recursive: true });
    copyFileSync(FIXED_BATCH, join(root, 'fixed/1/model.onnx'));
    writeFileSync(join(root, 'fixed/config.pbtxt'), `max_batch_size: 9 ${IO} dynamic_batching { }`);
    const running = await serve(root, batching);
    expect(await getJson(running, '/v2/models/fixed')).toMatchObject({ inputs: [{ shape: [-1, 16] }, {}] });
    expect(await getJson(running, '/v2/models/fixed/config')).toMatchObject({
      max_batch_size: 9,
      input: [{ dims: [16] }, { dims: [1] }],
    });
    await expectOwnAnswers(running, 'fixed', [1, 3, 8, 9]);
    const large = await ask(running, 'fixed', inputsOf(10));
    expect([large.status, large.error]).toEqual([400, expect.stringContaining('takes at most 9 rows')]);
  });
});

describe('a model of fixed batches whose rows influence each other', () => {
  const REASON = /rows are not independent: output 'y' of one differs by its place or by the rows beside it/;

  it('stays as it is with a maxBatchSize, and says why', async () => {
    const running = await serve(FIXED_MEAN, { maxBatchSize: 8 });
    expect(running.registry.find('fixed_mean').notes.batchAxis).toMatch(
      /^none: dimension 0 is fixed at 8, and runs are not filled up: /,
    );
    expect(running.registry.find('fixed_mean').notes.batchAxis).toMatch(REASON);
    expect(await getJson(running, '/v2/models/fixed_mean')).toMatchObject({ inputs: [{ shape: [8, 4] }] });
  });

  it('is not served where its config.pbtxt counts rows', async () => {
    const root = mkdtempSync(join(folder, 'repository-'));
    mkdirSync(join(root, 'mean/1'), { recursive: true });
    copyFileSync(FIXED_MEAN, join(root, 'mean/1/model.onnx'));
    writeFileSync(
      join(root, 'mean/config.pbtxt'),
      'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" data_type: TYPE_FP32 dims: 4 }',
    );
    const failure = await serve(root).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(
        /config.pbtxt:1:1: max_batch_size: expected 0, and dims with the 8 rows/,
      ),
    });
    expect((failure as Error).message).toMatch(REASON);
  });
});
