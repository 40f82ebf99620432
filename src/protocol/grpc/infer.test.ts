import { create, toBinary } from '@bufbuild/protobuf';
import { type Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, type ReferenceClient } from '../../../test/support/grpc-client.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { Tensor } from '../../base/tensor/tensor.ts';
import type { createFakeModel } from '../../model/fake-model.ts';
import type { InferRequest } from '../../model/request.ts';
import { type FakeServer, serveFake } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { pathOf } from './methods.ts';

const { modelInfer } = GRPCInferenceService.method;
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const x = { name: 'x', datatype: 'FP32', shape: [1n, 4n] };
const large = new Float32Array(4_000_000).map((_, index) => index);

let server: FakeServer;
let client: ReferenceClient;
/** What the models saw last. */
const seen: { request?: InferRequest; cancelled: Promise<void> } = { cancelled: Promise.resolve() };

beforeAll(async () => {
  const answer = (request: InferRequest): readonly Tensor[] => {
    seen.request = request;
    return [{ ...(request.inputs[0] as Tensor), name: 'y' }];
  };
  server = await serveFake(
    [
      { name: 'later', answer },
      { name: 'now', answerNow: answer },
      {
        name: 'large',
        answer: () => [{ name: 'y', datatype: 'FP32', shape: [1_000_000, 4], data: large }],
      },
      {
        name: 'busy',
        answer: () => {
          throw new NimifyError('OVERLOADED', 'the queue of façades is full: 100 %', { retryAfterMs: 1500 });
        },
      },
      {
        name: 'broken',
        answer: () => {
          throw new Error('a secret of the native library');
        },
      },
      {
        name: 'slow',
        answer: (_request, context) =>
          new Promise((_resolve, reject) => {
            seen.cancelled = new Promise((resolve) =>
              context.cancel.on(() => {
                reject(new NimifyError('CANCELLED', 'nobody waits'));
                resolve();
              }),
            );
            const leftMs = (context.deadlineAtNs - server.clock.nowNs()) / 1e6;
            setTimeout(
              () => reject(new NimifyError('DEADLINE_EXCEEDED', `had ${Math.round(leftMs)}`)),
              leftMs,
            );
          }),
      },
    ],
    { maxReceiveMessageBytes: 20_000_000 },
  );
  client = connect(server.port);
});

afterAll(async () => {
  client.close();
  await server.close();
});

describe('ModelInfer', () => {
  it.each(['now', 'later'])('answers raw contents with raw contents, %s', async (modelName) => {
    const answer = await client.unary(modelInfer, {
      modelName,
      id: 'mine',
      inputs: [x],
      rawInputContents: [floats(1, 2, 3, 4)],
    });
    expect(answer).toMatchObject({
      modelName,
      modelVersion: '1',
      id: 'mine',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1n, 4n] }],
    });
    expect(new Uint8Array(answer.rawOutputContents[0] as Uint8Array)).toEqual(floats(1, 2, 3, 4));
    expect(server.outcomes.at(-1)).toMatchObject({ model: modelName, version: '1', code: 'OK' });
  });

  it('takes typed contents, a version, parameters and the outputs that are wanted', async () => {
    await client.unary(modelInfer, {
      modelName: 'now',
      modelVersion: '1',
      parameters: {
        priority: { parameterChoice: { case: 'uint64Param', value: 2n } },
        own: { parameterChoice: { case: 'stringParam', value: 'kept' } },
      },
      inputs: [{ ...x, contents: { fp32Contents: [5, 6, 7, 8] } }],
      outputs: [{ name: 'y' }],
    });
    expect(seen.request).toMatchObject({ version: '1', outputs: ['y'], parameters: { own: 'kept' } });
    expect(seen.request?.inputs[0]?.data).toEqual(Float32Array.of(5, 6, 7, 8));
  });

  it.each(['later', 'now'])('answers classes where they are wanted (%s)', async (modelName) => {
    const classification = (count: bigint) => ({
      classification: { parameterChoice: { case: 'int64Param' as const, value: count } },
    });
    const inputs = [{ ...x, contents: { fp32Contents: [5, 8, 7, 6] } }];
    const outputs = [{ name: 'y', parameters: classification(2n) }];
    const answer = await client.unary(modelInfer, { modelName, inputs, outputs });
    expect(answer.outputs).toMatchObject([{ name: 'y', datatype: 'BYTES', shape: [1n, 2n] }]);
    const raw = Buffer.from(answer.rawOutputContents[0] as Uint8Array);
    expect([raw.readUInt32LE(0), raw.toString('utf8', 4, 14)]).toEqual([10, '8.000000:1']);
    expect(raw.toString('utf8', 18)).toBe('7.000000:2');
  });

  it('hands small messages on as views that nobody may give away, large ones as buffers of their own', async () => {
    await client.unary(modelInfer, { modelName: 'now', inputs: [x], rawInputContents: [floats(1, 2, 3, 4)] });
    expect(seen.request?.owner.holders).toBeGreaterThan(1);
    const raw = new Uint8Array(large.buffer);
    const inputs = [{ ...x, shape: [1_000_000n, 4n] }];
    const answer = await client.unary(modelInfer, { modelName: 'now', inputs, rawInputContents: [raw] });
    expect(seen.request?.owner.holders).toBe(0);
    const [input] = (seen.request as InferRequest).inputs;
    const { byteOffset, buffer } = (input as { data: Float32Array }).data;
    expect([byteOffset, buffer.byteLength >= raw.length]).toEqual([0, true]);
    expect(Buffer.compare(answer.rawOutputContents[0] as Uint8Array, raw)).toBe(0);
  });

  it('compresses as the client does, and reads both codings', async () => {
    for (const algorithm of [1, 2] as const) {
      const coded = connect(server.port, { 'grpc.default_compression_algorithm': algorithm });
      const rows = 500;
      const raw = new Uint8Array(new Float32Array(rows * 4).buffer);
      const call = coded.unary(modelInfer, {
        modelName: 'now',
        inputs: [{ ...x, shape: [BigInt(rows), 4n] }],
        rawInputContents: [raw],
      });
      expect((await call).rawOutputContents[0]).toHaveLength(raw.length);
      coded.close();
    }
  });

  it('waits for a client that reads slowly, and loses nothing', async () => {
    const slow = connect(server.port, { 'grpc-node.flow_control_window': 65_535 });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        slow.unary(modelInfer, { modelName: 'large', inputs: [x], rawInputContents: [floats(0, 0, 0, 0)] }),
      ),
    );
    for (const { rawOutputContents } of answers) {
      expect(Buffer.compare(rawOutputContents[0] as Uint8Array, new Uint8Array(large.buffer))).toBe(0);
    }
    slow.close();
  });

  it('carries the deadline to the model, and answers when it has passed', async () => {
    const request = { modelName: 'slow', inputs: [x], rawInputContents: [floats(1, 2, 3, 4)] };
    const metadata = { 'grpc-timeout': '40m' };
    await expect(client.unary(modelInfer, request, { metadata })).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(/^had (-\d+|\d|[123]\d|40)$/),
    });
    const own = { timeout: { parameterChoice: { case: 'int64Param' as const, value: 30_000n } } };
    await expect(client.unary(modelInfer, { ...request, parameters: own })).rejects.toMatchObject({
      details: expect.stringMatching(/^had (-\d+|[12]?\d|30)$/),
    });
  });

  it('frees the place of a client that cancels', async () => {
    const { contexts } = server.registry.find('slow').model as ReturnType<typeof createFakeModel>;
    const before = contexts.length;
    const cancelled = new AbortController();
    const call = client.client.makeUnaryRequest(
      pathOf(modelInfer),
      (request: Uint8Array) => Buffer.from(request),
      (bytes) => bytes,
      toBinary(
        ModelInferRequestSchema,
        create(ModelInferRequestSchema, {
          modelName: 'slow',
          inputs: [x],
          rawInputContents: [floats(1, 2, 3, 4)],
        }),
      ),
      () => cancelled.abort(),
    );
    await vi.waitFor(() => expect(contexts).toHaveLength(before + 1));
    call.cancel();
    await seen.cancelled;
    await vi.waitFor(() => expect(server.outcomes.at(-1)?.code).toBe('CANCELLED'));
    expect(cancelled.signal.aborted).toBe(true);
  });

  it('keeps metadata for policies, binary values in base64', async () => {
    await client.unary(
      modelInfer,
      { modelName: 'now', inputs: [x], rawInputContents: [floats(1, 2, 3, 4)] },
      { metadata: { 'x-tenant': 'a', 'token-bin': Buffer.from([0, 255]) } },
    );
    const { contexts } = server.registry.find('now').model as ReturnType<typeof createFakeModel>;
    expect(contexts.at(-1)?.attributes).toMatchObject({
      'x-tenant': 'a',
      'token-bin': expect.stringMatching(/^AP8=?$/),
    });
  });
});

describe('a refusal', () => {
  const raw = [floats(1, 2, 3, 4)];

  it.each([
    [
      'raw beside typed contents',
      { inputs: [{ ...x, contents: { fp32Contents: [1] } }], rawInputContents: raw },
      'inputs[0].contents: expected no typed contents',
    ],
    [
      'fewer raw contents',
      { inputs: [x, { ...x, name: 'z' }], rawInputContents: raw },
      'raw_input_contents: expected 2, one for each of inputs, got 1',
    ],
    [
      'a wrong length',
      { inputs: [x], rawInputContents: [floats(1, 2, 3)] },
      'raw_input_contents[0]: expected 16 bytes (4 elements of FP32), got 12 bytes',
    ],
    [
      'too few elements',
      { inputs: [{ ...x, contents: { fp32Contents: [1, 2] } }] },
      'inputs[0].contents.fp32_contents: expected 4 elements as the shape says, got 2',
    ],
    [
      'too many elements',
      { inputs: [{ ...x, contents: { fp32Contents: [1, 2, 3, 4, 5] } }] },
      'inputs[0].contents.fp32_contents: expected 4 elements as the shape says, got more',
    ],
    [
      'the contents of another datatype',
      { inputs: [{ ...x, contents: { intContents: [1, 2, 3, 4] } }] },
      'inputs[0].contents: expected FP32 in fp32_contents, got elements in int_contents',
    ],
    [
      '16-bit floats in typed contents',
      { inputs: [{ ...x, datatype: 'FP16', contents: { fp32Contents: [1, 2, 3, 4] } }] },
      'inputs[0].contents: expected FP16 in raw_input_contents',
    ],
    [
      'an integer that does not fit',
      { inputs: [{ ...x, datatype: 'INT8', contents: { intContents: [1, 2, 3, 128] } }] },
      'inputs[0].contents.int_contents[3]: expected INT8 from -128 to 127, got 128',
    ],
    ['no contents at all', { inputs: [x] }, 'inputs[0].contents.fp32_contents: expected 4 elements'],
    ['a shape that lies', { inputs: [{ ...x, shape: [1n << 40n, 4n] }] }, 'expected 4398046511104 elements'],
    [
      'a negative dimension',
      { inputs: [{ ...x, shape: [-1n, 4n] }], rawInputContents: raw },
      'inputs[0].shape[0]: expected an integer from 0',
    ],
    [
      'an unknown datatype',
      { inputs: [{ ...x, datatype: 'FP8' }], rawInputContents: raw },
      'inputs[0].datatype: expected one of BOOL',
    ],
    [
      'the same input twice',
      { inputs: [x, x], rawInputContents: [...raw, ...raw] },
      "inputs[1].name: expected every name once, got 'x' twice",
    ],
    ['an input that is none', { inputs: [{ ...x, name: 'q' }], rawInputContents: raw }, 'q'],
    [
      'a number that is not exact',
      {
        inputs: [x],
        rawInputContents: raw,
        parameters: { n: { parameterChoice: { case: 'int64Param' as const, value: 2n ** 60n } } },
      },
      "parameters['n']: expected a number that a double holds exactly",
    ],
    [
      'bad priority',
      {
        inputs: [x],
        rawInputContents: raw,
        parameters: { priority: { parameterChoice: { case: 'boolParam' as const, value: true } } },
      },
      'parameters.priority: expected an integer',
    ],
  ])('of %s says where', async (_what, request, message) => {
    await expect(client.unary(modelInfer, { modelName: 'now', ...request })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(message),
    });
    expect(server.outcomes.at(-1)).toMatchObject({ model: 'now', code: 'INVALID_INPUT' });
  });

  it('of shared memory says that it is not offered, whatever else is there', async () => {
    const region = { parameterChoice: { case: 'stringParam' as const, value: 'r' } };
    const shared = { ...x, parameters: { shared_memory_region: region } };
    const asked = [
      { inputs: [shared], rawInputContents: raw },
      // As Triton's client writes it: raw contents for the others only.
      { inputs: [shared, { ...x, name: 'z' }], rawInputContents: raw },
      { inputs: [{ ...x, name: 'z' }, shared], rawInputContents: raw },
      {
        inputs: [x],
        rawInputContents: raw,
        outputs: [{ name: 'y', parameters: { shared_memory_region: region } }],
      },
    ];
    for (const request of asked) {
      await expect(client.unary(modelInfer, { modelName: 'now', ...request })).rejects.toMatchObject({
        code: status.UNIMPLEMENTED,
        details: expect.stringContaining('tensors in shared memory are not offered'),
      });
    }
  });

  it('of an unknown model is in the words that clients look for', async () => {
    await expect(client.unary(modelInfer, { modelName: 'none', inputs: [x] })).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("Request for unknown model: 'none' is not found"),
    });
    await expect(
      client.unary(modelInfer, { modelName: 'now', modelVersion: '7', inputs: [x] }),
    ).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('says when to come back, in characters that its header can hold', async () => {
    const failed = await client
      .unary(
        modelInfer,
        { modelName: 'busy', inputs: [x], rawInputContents: raw },
        { metadata: { 'x-request-id': 'r-1' } },
      )
      .catch((error: { code: number; details: string; metadata: Metadata }) => error);
    expect(failed).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'the queue of façades is full: 100 %',
    });
    expect((failed as { metadata: Metadata }).metadata.getMap()).toMatchObject({
      'retry-after': '2',
      'grpc-retry-pushback-ms': '1500',
      'nimify-code': 'OVERLOADED',
      'x-request-id': 'r-1',
    });
  });

  it('for a fault of ours tells nothing of it, and logs it', async () => {
    await expect(
      client.unary(modelInfer, { modelName: 'broken', inputs: [x], rawInputContents: raw }),
    ).rejects.toMatchObject({ code: status.INTERNAL, details: expect.not.stringContaining('secret') });
    expect(server.logged).toEqual(['request failed']);
  });

  it('of a message over the limit comes while it arrives, and leaves the connection usable', async () => {
    const tooMuch = { modelName: 'now', inputs: [x], rawInputContents: [new Uint8Array(21_000_000)] };
    for (let count = 0; count < 3; count += 1) {
      await expect(client.unary(modelInfer, tooMuch)).rejects.toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        details: expect.stringContaining('expected at most 20000000 bytes'),
      });
    }
    await client.unary(modelInfer, { modelName: 'now', inputs: [x], rawInputContents: raw });
  });

  it('of a message that grows over the limit comes before it has', async () => {
    const coded = connect(server.port, { 'grpc.default_compression_algorithm': 2 });
    const bomb = { modelName: 'now', inputs: [x], rawInputContents: [new Uint8Array(30_000_000)] };
    await expect(coded.unary(modelInfer, bomb)).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    coded.close();
  });
});
