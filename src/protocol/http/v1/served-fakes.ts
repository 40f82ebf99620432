import { toBytesData } from '../../../base/tensor/bytes.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import type { Model } from '../../../model/contract.ts';
import type { Signature, TensorSpec } from '../../../model/signature.ts';
import type { ServedModel } from '../../../registry/contract.ts';
import { createFakeDeps, createFakeServed, echo, type FakeDeps } from '../fake-registry.ts';
import { createHttpServer, type HttpServer } from '../server.ts';

/** Test support: models like the real ones, which answer by plain rules, behind a real server. */

export function spec(
  name: string,
  datatype: TensorSpec['datatype'],
  shape: readonly number[],
  dimensionNames: TensorSpec['dimensionNames'] = shape.map((size) => (size === -1 ? 'N' : undefined)),
): TensorSpec {
  return { name, datatype, shape, dimensionNames };
}

export interface FakeServed {
  readonly name: string;
  readonly version?: string;
  readonly signature: Signature;
  readonly labels?: ServedModel['labels'];
  readonly example?: ServedModel['example'];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly infer?: Model['infer'];
}

export function createServed(options: FakeServed): ServedModel {
  const { labels = {}, example, metadata = {}, ...fields } = options;
  const served = createFakeServed(fields);
  return {
    ...served,
    labels,
    example,
    artifact: { ...served.artifact, metadata },
    loadedAtMs: 1_700_000_000_500,
  };
}

/** Flowers: FP32 [N,4] in; INT64 class index and FP32 [N,3] scores out. The second feature is the class. */
export function flowers(name = 'iris'): ServedModel {
  const signature: Signature = {
    inputs: [spec('X', 'FP32', [-1, 4])],
    outputs: [spec('label', 'INT64', [-1]), spec('probabilities', 'FP32', [-1, 3])],
    batchAxis: 0,
  };
  const classes = ['setosa', 'versicolor', 'virginica'];
  const input: Tensor = {
    name: 'X',
    datatype: 'FP32',
    shape: [1, 4],
    data: Float32Array.of(5.1, 1, 1.4, 0.2),
  };
  return createServed({
    name,
    signature,
    labels: { label: classes, probabilities: classes },
    metadata: { license: 'CC0-1.0', description: 'Flowers.' },
    example: { inputs: [input], outputs: flowerOutputs(input), origin: 'generated' },
    infer: async (request) => {
      const response = echo(request, { ...signature, outputs: [] });
      const outputs = flowerOutputs(request.inputs[0]!);
      return { ...response, outputs: outputs.filter(({ name }) => request.outputs?.includes(name) ?? true) };
    },
  });
}

function flowerOutputs({ data, shape }: Tensor): Tensor[] {
  const rows = shape[0]!;
  const label = new BigInt64Array(rows);
  const probabilities = new Float32Array(rows * 3).fill(0.01);
  for (let row = 0; row < rows; row += 1) {
    const index = Number((data as Float32Array)[row * 4 + 1]);
    label[row] = BigInt(index);
    probabilities[row * 3 + index] = 0.98;
  }
  return [
    { name: 'label', datatype: 'INT64', shape: [rows], data: label },
    { name: 'probabilities', datatype: 'FP32', shape: [rows, 3], data: probabilities },
  ];
}

/** A table: texts, floats and integers as [N,1] columns; every column comes back. */
export function table(name = 'churn'): ServedModel {
  const inputs = [
    spec('plan', 'BYTES', [-1, 1]),
    spec('hours', 'FP32', [-1, 1]),
    spec('months', 'INT64', [-1, 1]),
  ];
  const tensors: Tensor[] = [
    { name: 'plan', datatype: 'BYTES', shape: [2, 1], data: toBytesData(['pro', 'basic']) },
    { name: 'hours', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(4.5, 1.25) },
    { name: 'months', datatype: 'INT64', shape: [2, 1], data: BigInt64Array.of(3n, 40n) },
  ];
  return createServed({
    name,
    signature: { inputs, outputs: inputs, batchAxis: 0 },
    example: { inputs: tensors, outputs: tensors, origin: 'file' },
  });
}

/** One input that comes back under the same name. */
export function identity(name: string, input: TensorSpec, example?: Tensor): ServedModel {
  return createServed({
    name,
    signature: { inputs: [input], outputs: [input], batchAxis: 'none' },
    ...(example === undefined ? {} : { example: { inputs: [example], outputs: [example], origin: 'file' } }),
  });
}

export interface ServedHere {
  readonly deps: FakeDeps;
  readonly url: string;
  get(path: string): Promise<{ status: number; body: Record<string, unknown> }>;
  /** `body`: JSON text as it is, or a value to be made JSON. */
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string; body: Record<string, unknown> }>;
  close(): Promise<void>;
}

/** Starts a server on a free port with these models. */
export async function serveModels(models: readonly ServedModel[]): Promise<ServedHere> {
  const deps = createFakeDeps([]);
  for (const model of models) deps.registry.add(model);
  const server: HttpServer = createHttpServer(deps);
  const { port } = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    deps,
    url,
    async get(path) {
      const response = await fetch(url + path);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async post(path, body, headers = { 'content-type': 'application/json' }) {
      const response = await fetch(url + path, {
        method: 'POST',
        headers,
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
    },
    close: () => server.close({ graceMs: 0 }),
  };
}
