import { fileURLToPath } from 'node:url';

const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** Answers in well under a millisecond: `X`, FP32, [rows, 4]. */
export const IRIS = { path: path('../examples/demo/iris/model.onnx'), name: 'iris' };
/** Answers `s`, INT64, [dimensions] with zeros in that shape: a short request makes an answer of any size. */
export const OF_SHAPE = { path: path('engine/fixtures/of_shape.onnx'), name: 'of_shape' };
/** Adds `a`, FP32, [N], and `b`, FP32, [N] or [1]. */
export const ADD = { path: path('engine/fixtures/add.onnx'), name: 'add' };
/** Takes some tens of milliseconds: `x`, FP32, [1]. */
export const SLOW = { path: path('fixtures/slow.onnx'), name: 'slow' };

export const IRIS_BODY = JSON.stringify({
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
});

/** A request that is answered with `sizeMib` MiB of zeros. */
export function zerosBody(sizeMib: number): string {
  return JSON.stringify({
    inputs: [{ name: 's', datatype: 'INT64', shape: [1], data: [sizeMib * 2 ** 18] }],
    parameters: { binary_data_output: true },
  });
}

/** One inference of `IRIS`; its status. */
export async function askIris(url: string): Promise<number> {
  const response = await fetch(`${url}/v2/models/iris/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: IRIS_BODY,
  });
  await response.arrayBuffer();
  return response.status;
}

/** Asks `IRIS` again and again until `done` resolves; the statuses that came, each once. */
export async function askIrisUntil(url: string, done: Promise<unknown>): Promise<ReadonlySet<number>> {
  const statuses = new Set<number>();
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  while (!isDone) statuses.add(await askIris(url));
  return statuses;
}
