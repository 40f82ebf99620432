import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createOwner } from '../../base/tensor/owner.ts';
import type { Tensor, TensorData } from '../../base/tensor/tensor.ts';
import { isBytesData } from '../../base/tensor/tensor.ts';
import type { FakeClock } from '../../base/util/fake-clock.ts';
import type { RequestContext } from '../../model/context.ts';
import { createFakeModel, type FakeModel } from '../../model/fake-model.ts';
import { createInferRequest, type InferRequest, type InferResponse } from '../../model/request.ts';
import type { Signature } from '../../model/signature.ts';

/** Test support: a model that takes time on a fake clock, computes row by row, and watches its buffers. */

export const ROW_SIGNATURE: Signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, -1], dimensionNames: ['n', undefined] },
    { name: 't', datatype: 'BYTES', shape: [-1], dimensionNames: ['n'] },
    { name: 'k', datatype: 'INT64', shape: [-1], dimensionNames: ['n'] },
  ],
  outputs: [
    { name: 'sum', datatype: 'FP64', shape: [-1], dimensionNames: ['n'] },
    { name: 'text', datatype: 'BYTES', shape: [-1], dimensionNames: ['n'] },
    { name: 'twice', datatype: 'INT64', shape: [-1, 2], dimensionNames: ['n', undefined] },
  ],
  batchAxis: 0,
};

/** A request of rows that all differ. A row whose text begins with `bad` makes its run fail. */
export function rowRequest(
  id: number,
  rows: number,
  { width = 2, text = 'row', ...fields }: Partial<InferRequest> & { width?: number; text?: string } = {},
): InferRequest {
  const x = Float32Array.from({ length: rows * width }, (_, at) => id + at / 128);
  const k = BigInt64Array.from({ length: rows }, (_, at) => BigInt(id) * 1000n + BigInt(at));
  const texts = Array.from({ length: rows }, (_, at) => `${text} ${id}.${at}`);
  return createInferRequest({
    model: 'fake',
    id: String(id),
    inputs: [
      { name: 'x', datatype: 'FP32', shape: [rows, width], data: x },
      { name: 't', datatype: 'BYTES', shape: [rows], data: bytesOf(texts) },
      { name: 'k', datatype: 'INT64', shape: [rows], data: k },
    ],
    owner: createPoisonedOwner([x, k]),
    ...fields,
  });
}

function bytesOf(texts: readonly string[]): TensorData {
  const parts = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(texts.length + 1);
  parts.forEach((part, at) => {
    offsets[at + 1] = offsets[at]! + part.length;
  });
  return { bytes: new Uint8Array(Buffer.concat(parts)), offsets };
}

/** What it frees cannot be taken for what was there. */
export function createPoisonedOwner(views: readonly { fill(value: never): unknown }[]) {
  return createOwner(() => {
    for (const view of views) view.fill((view instanceof BigInt64Array ? -1n : -1) as never);
  });
}

/** What the row function gives for a request; computed from scratch, so it is also what to expect. */
export function computeRows({ inputs, outputs: wanted }: Pick<InferRequest, 'inputs' | 'outputs'>) {
  const [x, t, k] = inputs as [Tensor, Tensor, Tensor];
  const [rows, width] = x.shape as [number, number];
  const values = x.data as Float32Array;
  const sum = Float64Array.from({ length: rows }, (_, row) =>
    values.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value * 1.1, 0),
  );
  const texts = textsOf(t).map((text) => text.toUpperCase());
  const twice = BigInt64Array.from({ length: 2 * rows }, (_, at) => (k.data as BigInt64Array)[at >> 1]! * 2n);
  const outputs: readonly Tensor[] = [
    { name: 'sum', datatype: 'FP64', shape: [rows], data: sum },
    { name: 'text', datatype: 'BYTES', shape: [rows], data: bytesOf(texts) },
    { name: 'twice', datatype: 'INT64', shape: [rows, 2], data: twice },
  ];
  return outputs.filter(({ name }) => wanted === undefined || wanted.includes(name));
}

export function textsOf({ data }: Tensor): readonly string[] {
  if (!isBytesData(data)) throw new Error('expected BYTES');
  const { bytes, offsets } = data;
  return Array.from({ length: offsets.length - 1 }, (_, at) =>
    Buffer.from(bytes.subarray(offsets[at], offsets[at + 1])).toString(),
  );
}

/** Outputs as plain values, whatever views they are. */
export function valuesOf(outputs: readonly Tensor[]): unknown {
  return outputs.map((output) => [
    output.name,
    output.datatype,
    output.shape,
    isBytesData(output.data) ? textsOf(output) : Array.from(output.data as Float32Array),
  ]);
}

export interface FakeRun {
  readonly rows: number;
  readonly width: number;
  readonly texts: readonly string[];
  readonly beganAtNs: number;
  readonly context: RequestContext;
}

export interface FakeBackend extends FakeModel {
  readonly runs: readonly FakeRun[];
  /** Runs in flight now, and the most there ever were. */
  readonly running: number;
  readonly mostRunning: number;
  /** Answers whose owner was not released. */
  readonly unreleased: number;
}

/** @param runNs what a run of so many rows takes; at once where `isInline` */
export function createFakeBackend(
  clock: FakeClock,
  runNs: (rows: number) => number,
  { isInline = false, signature = ROW_SIGNATURE } = {},
): FakeBackend {
  const runs: FakeRun[] = [];
  const counts = { running: 0, mostRunning: 0, unreleased: 0 };

  function begin(request: InferRequest, context: RequestContext): void {
    const [rows, width] = request.inputs[0]!.shape as [number, number];
    const texts = textsOf(request.inputs[1]!);
    runs.push({ rows, width, texts, beganAtNs: clock.nowNs(), context });
  }

  /** Reads the inputs only when the run is over: they must have stayed as they were. */
  function end(request: InferRequest, computeNs: number): InferResponse {
    const bad = textsOf(request.inputs[1]!).find((text) => text.startsWith('bad'));
    if (bad !== undefined) throw new NimifyError('INVALID_INPUT', bad);
    const outputs = computeRows(request);
    counts.unreleased += 1;
    return {
      ...{ model: 'fake', version: '1', id: request.id, outputs, parameters: {} },
      report: { cache: 'none', computeNs, cacheable: true },
      owner: createOwner(() => {
        counts.unreleased -= 1;
        for (const { data } of outputs) if (data instanceof Float64Array) data.fill(-1);
      }),
    };
  }

  const model = createFakeModel({
    signature,
    answer(request, context) {
      begin(request, context);
      counts.running += 1;
      counts.mostRunning = Math.max(counts.mostRunning, counts.running);
      const ns = runNs(request.inputs[0]!.shape[0]!);
      request.owner.retain();
      return new Promise((resolve, reject) => {
        clock.setTimer(() => {
          counts.running -= 1;
          try {
            resolve(end(request, ns));
          } catch (failure) {
            reject(failure);
          } finally {
            request.owner.release();
          }
        }, ns / 1e6);
      });
    },
    ...(isInline
      ? {
          answerNow(request: InferRequest, context: RequestContext) {
            begin(request, context);
            return end(request, runNs(request.inputs[0]!.shape[0]!));
          },
        }
      : {}),
  });
  return Object.defineProperties(model, {
    runs: { get: () => runs },
    running: { get: () => counts.running },
    mostRunning: { get: () => counts.mostRunning },
    unreleased: { get: () => counts.unreleased },
  }) as FakeBackend;
}

/** Lets promises settle. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Moves time on step by step, and lets promises settle after each. */
export async function pass(clock: FakeClock, ms: number, stepMs = 1): Promise<void> {
  for (let gone = 0; gone < ms - 1e-9; gone += stepMs) {
    clock.advance(Math.min(stepMs, ms - gone));
    await settled();
  }
}
