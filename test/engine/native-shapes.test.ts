/** Answers are right whatever the shapes of outputs hang on, though the room for them is made beforehand. */
import { afterEach, expect, it } from 'vitest';
import { BORROWED } from '../../src/base/tensor/owner.ts';
import type { Tensor } from '../../src/base/tensor/tensor.ts';
import { systemClock } from '../../src/base/util/clock.ts';
import { createRunPlaces } from '../../src/engine/host/run-places.ts';
import { loadLibrary } from '../../src/engine/onnxruntime/native/library.ts';
import { openHandle } from '../../src/engine/onnxruntime/native/open-handle.ts';
import { shareSession } from '../../src/engine/onnxruntime/native/shared-session.ts';
import { protobuf } from '../support/protobuf.ts';

type Session = ReturnType<typeof shareSession>;
type Sizes = readonly (number | string)[];

const FP32 = 1;
const INT64 = 7;

const open: Session[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

/** An input `x`, FP32 of shape [n]; of each output its element type and what the file says of its shape. */
async function openModel(
  nodes: readonly (readonly [operator: string, inputs: readonly string[], output: string])[],
  outputs: Readonly<Record<string, readonly [type: number, shape: Sizes]>>,
): Promise<Session> {
  const value = (name: string, type: number, shape: Sizes) => ({
    1: name,
    2: {
      1: { 1: type, 2: { 1: shape.map((size) => (typeof size === 'number' ? { 1: size } : { 2: size })) } },
    },
  });
  const model = protobuf({
    1: 8,
    7: {
      1: nodes.map(([operator, from, to]) => ({ 1: from, 2: to, 4: operator })),
      2: 'shapes',
      11: value('x', FP32, ['n']),
      12: Object.entries(outputs).map(([name, [type, shape]]) => value(name, type, shape)),
    },
    8: { 2: 17 },
  });
  const library = loadLibrary();
  const handle = await openHandle(library, model, { intraOpThreads: 1 });
  const session = shareSession(library, handle, { clock: systemClock, places: createRunPlaces(2) });
  open.push(session);
  return session;
}

/** Both ways; they must agree. */
async function answers(
  session: Session,
  x: readonly number[],
  ...outputs: string[]
): Promise<readonly Tensor[]> {
  const inputs: readonly Tensor[] = [
    { name: 'x', datatype: 'FP32', shape: [x.length], data: Float32Array.from(x) },
  ];
  const request = { inputs, outputs, owner: BORROWED };
  const elsewhere = await session.run(request);
  const atOnce = session.runNow(request);
  expect(atOnce.outputs).toEqual(elsewhere.outputs);
  return atOnce.outputs;
}

const fp32 = (name: string, data: readonly number[]): Tensor => ({
  ...{ name, datatype: 'FP32', shape: [data.length] },
  data: Float32Array.from(data),
});
const twice = (x: readonly number[]) => x.map((one) => 2 * one);
const LONG = Array.from({ length: 2000 }, (_, at) => at % 7);

it('hang on the values', async () => {
  const session = await openModel(
    [
      ['NonZero', ['x'], 'i'],
      ['Add', ['x', 'x'], 'y'],
    ],
    { i: [INT64, [1, 'k']], y: [FP32, ['n']] },
  );
  for (const x of [
    [1, 0, 2],
    [1, 0, 2],
    [0, 0, 5],
    [0, 0, 0],
    [1, 2, 3],
    LONG,
    LONG.toReversed(),
    LONG.map(() => 0),
  ]) {
    const found = x.flatMap((one, at) => (one === 0 ? [] : [BigInt(at)]));
    expect(await answers(session, x, 'i', 'y')).toEqual([
      { name: 'i', datatype: 'INT64', shape: [1, found.length], data: BigInt64Array.from(found) },
      fp32('y', twice(x)),
    ]);
  }
});

it('are others than the file says', async () => {
  const session = await openModel([['Add', ['x', 'x'], 'y']], { y: [FP32, [10]] });
  for (const x of [[1, 2], [1, 2], [3], LONG, [4, 5]]) {
    expect(await answers(session, x, 'y')).toEqual([fp32('y', twice(x))]);
  }
});

it('are those of an input that is handed on', async () => {
  const session = await openModel([['Add', ['x', 'x'], 'y']], { y: [FP32, ['n']], x: [FP32, ['n']] });
  for (const x of [[1, 2], [3, 4], [3, 4], LONG, twice(LONG)]) {
    expect(await answers(session, x, 'x', 'y')).toEqual([fp32('x', x), fp32('y', twice(x))]);
    expect(await answers(session, x, 'y')).toEqual([fp32('y', twice(x))]);
    expect(await answers(session, x, 'x')).toEqual([fp32('x', x)]);
  }
});

it('answers stay as they are whatever runs later', async () => {
  const session = await openModel([['Add', ['x', 'x'], 'y']], { y: [FP32, ['n']] });
  const requests = Array.from({ length: 20 }, (_, at) => (at % 3 === 0 ? LONG : [at, at + 1]));
  const kept: (readonly Tensor[])[] = [];
  for (const x of requests) kept.push(await answers(session, x, 'y'));
  expect(kept).toEqual(requests.map((x) => [fp32('y', twice(x))]));
});
