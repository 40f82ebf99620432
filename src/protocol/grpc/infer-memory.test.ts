import { create, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { encodeModelInferResponse } from '../../base/oip/encode-protobuf.ts';
import { createBufferPool } from '../../base/util/buffer-pool.ts';
import { NEVER_CANCELLED } from '../../base/util/cancel.ts';
import { createTally } from '../tally.ts';
import { createFakeDeps } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { answerInfer } from './infer.ts';
import { rawAllocator } from './raw-memory.ts';

const ROWS = 2000;

const MODELS = [
  {
    name: 'refusing',
    answerNow: () => {
      throw new NimifyError('INVALID_INPUT', 'no');
    },
  },
  {
    name: 'failing',
    answer: () => {
      throw new NimifyError('ENGINE_FAILED', 'no');
    },
  },
  { name: 'rows' },
];

it.each([
  ['no model has the name', { modelName: 'nobody' }],
  ['the message does not fit', { modelName: 'rows', shape: [1n, 4n] }],
  ['a parameter is wrong', { modelName: 'rows', timeout: -1n }],
  ['the model refuses at once', { modelName: 'refusing' }],
  ['the model fails later', { modelName: 'failing' }],
])('gives back the memory of raw contents where %s', async (_what, given) => {
  const {
    modelName,
    shape = [BigInt(ROWS), 4n],
    timeout = 0n,
  } = given as {
    modelName: string;
    shape?: bigint[];
    timeout?: bigint;
  };
  const deps = createFakeDeps(MODELS);
  const pool = createBufferPool({ clock: deps.clock });
  const raw = rawAllocator(pool)(ROWS * 16);
  const bytes = toBinary(
    ModelInferRequestSchema,
    create(ModelInferRequestSchema, {
      modelName,
      inputs: [{ name: 'x', datatype: 'FP32', shape }],
      parameters: { timeout: { parameterChoice: { case: 'int64Param', value: timeout } } },
    }),
  );
  const asked = {
    ...{ message: { bytes, rawContents: [raw] }, isOwn: true, claim: undefined },
    ...{ headers: {}, deadlineAtNs: undefined },
  };
  const answer = async () =>
    answerInfer(
      { ...deps, pool },
      asked,
      createTally(deps, '/', 'r'),
      { cancel: NEVER_CANCELLED },
      encodeModelInferResponse,
    );
  await expect(answer()).rejects.toBeInstanceOf(NimifyError);
  expect(pool.keptBytes).toBe(raw.buffer.byteLength);
  pool.clear();
});
