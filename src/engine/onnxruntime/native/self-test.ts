import { isDeepStrictEqual } from 'node:util';
import { NimifyError } from '../../../base/errors/nimify-error.ts';
import { toBytesData } from '../../../base/tensor/bytes.ts';
import { BORROWED } from '../../../base/tensor/owner.ts';
import type { Tensor } from '../../../base/tensor/tensor.ts';
import { systemClock } from '../../../base/util/clock.ts';
import type { RunRequest } from '../../../model/engine.ts';
import { createRunPlaces } from '../../host/run-places.ts';
import { findPackage } from '../package.ts';
import { KnownShapes } from './known-shapes.ts';
import { type Library, loadLibrary } from './library.ts';
import { openHandle, type SessionHandle } from './open-handle.ts';
import { RunInputs } from './run-inputs.ts';
import { RunOutputs } from './run-outputs.ts';
import { shareSession } from './shared-session.ts';

/**
 * A model of three operators: `y` is `x` + `x` (FP32 [n, 2]), `t` is `s` (text [n]), and `g` holds the elements `i`
 * (INT64 [m]) of a table of 10, 20 and 30. Opset 13, IR version 8.
 */
export const MODEL = Buffer.from(
  'CAg6wwEKDgoBeAoBeBIBeSIDQWRkChAKAXMSAXQiCElkZW50aXR5ChEKAWsKAWkSAWciBkdhdGhlchIBcCoVCAMQASIMAAAgQQAAoEEAAPBBQgFr' +
    'WhQKAXgSDwoNCAESCQoDEgFuCgIIAloQCgFzEgsKCQgIEgUKAxIBbloQCgFpEgsKCQgHEgUKAxIBbWIUCgF5Eg8KDQgBEgkKAxIBbgoCCAJiEAoB' +
    'dBILCgkICBIFCgMSAW5iEAoBZxILCgkIARIFCgMSAW1CBAoAEA0=',
  'base64',
);

const OUTPUTS = ['y', 't', 'g'];

/** Rows of a tensor that is copied, and of one that is not. */
const SIZES = [2, 1500];

/**
 * Calls every function of the C API on a model whose answers are known, with text, with an error and with a run that
 * is told to end, at once and on another thread.
 * @throws NimifyError UNSUPPORTED where something is not as it should be
 */
export async function proveLibrary(): Promise<void> {
  const library = loadLibrary();
  try {
    const { version } = findPackage();
    same(library.version, version, 'version');
    const handle = await openHandle(library, MODEL, { intraOpThreads: 1 });
    const deps = { clock: systemClock, places: createRunPlaces(1) };
    const session = shareSession(library, handle, deps);
    try {
      same(described(handle), DESCRIBED, 'inputs and outputs');
      for (const rows of SIZES) {
        // The second time, the shapes are known.
        for (let again = 0; again < 2; again++) {
          same(session.runNow(requestOf(rows, 2n)).outputs, answerOf(rows, 30), 'answer');
          same(
            (await session.run(requestOf(rows, 0n))).outputs,
            answerOf(rows, 10),
            'answer of another thread',
          );
        }
      }
      fails(() => session.runNow(requestOf(2, 9n)), /idx=9|indices/);
      fails(() => runTerminated(library, handle), /terminate flag/);
      same(session.runNow(requestOf(2, 1n)).outputs, answerOf(2, 20), 'answer after errors');
    } finally {
      await session.close();
    }
  } catch (cause) {
    throw new NimifyError('UNSUPPORTED', "ONNX Runtime's library does not answer as it should", { cause });
  }
}

const DESCRIBED = ['x FP32', 's BYTES', 'i INT64', 'y FP32', 't BYTES', 'g FP32'];

function described({ inputs, outputs }: SessionHandle): readonly string[] {
  return [...inputs, ...outputs].map(({ name, datatype }) => `${name} ${datatype}`);
}

function requestOf(rows: number, index: bigint): RunRequest {
  const inputs: readonly Tensor[] = [
    {
      name: 'x',
      datatype: 'FP32',
      shape: [rows, 2],
      data: Float32Array.from({ length: rows * 2 }, (_, at) => at),
    },
    { name: 's', datatype: 'BYTES', shape: [rows], data: texts(rows) },
    { name: 'i', datatype: 'INT64', shape: [1], data: BigInt64Array.of(index) },
  ];
  return { inputs, outputs: OUTPUTS, owner: BORROWED };
}

function answerOf(rows: number, found: number): readonly Tensor[] {
  const twice = Float32Array.from({ length: rows * 2 }, (_, at) => 2 * at);
  return [
    { name: 'y', datatype: 'FP32', shape: [rows, 2], data: twice },
    { name: 't', datatype: 'BYTES', shape: [rows], data: texts(rows) },
    { name: 'g', datatype: 'FP32', shape: [1], data: Float32Array.of(found) },
  ];
}

function texts(count: number): ReturnType<typeof toBytesData> {
  return toBytesData(Array.from({ length: count }, (_, at) => (at % 2 === 0 ? '' : `é${at}`)));
}

function runTerminated(library: Library, handle: SessionHandle): void {
  const { api, check, made } = library;
  const options = made((out) => api.createRunOptions(out));
  const inputs = new RunInputs(library, handle.inputs);
  const outputs = new RunOutputs(library, handle.outputs, new KnownShapes());
  const request = requestOf(2, 1n);
  try {
    inputs.set(request.inputs);
    outputs.expect(request.outputs, request.inputs, false);
    check(api.runOptionsSetTerminate(options));
    const [names, values] = [inputs.names.address, inputs.values.address];
    const run = () =>
      api.run(
        handle.address,
        options,
        names,
        values,
        inputs.count,
        outputs.names.address,
        3,
        outputs.values.address,
      );
    check(run());
  } finally {
    inputs.free();
    outputs.free();
    api.releaseRunOptions(options);
  }
}

function fails(call: () => unknown, expected: RegExp): void {
  try {
    call();
  } catch (failure) {
    const { cause = failure } = failure as Error;
    if (expected.test(String(cause))) return;
    throw new Error(`expected a failure like ${expected}, got: ${cause}`);
  }
  throw new Error(`expected a failure like ${expected}, got none`);
}

function same(got: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(got, expected)) return;
  throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
}
