import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, type ReferenceClient } from '../../../test/support/grpc-client.ts';
import type { createFakeModel } from '../../model/fake-model.ts';
import { type FakeServer, serveFake } from './fake-registry.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { connectRaw } from './raw-client.ts';

const { modelStreamInfer } = GRPCInferenceService.method;
const ROWS = 100_000;
const x = { name: 'x', datatype: 'FP32', shape: [1n, 4n] };
const raw = [new Uint8Array(16)];

let server: FakeServer;
let client: ReferenceClient;
let running = 0;
let most = 0;

beforeAll(async () => {
  server = await serveFake(
    [
      {
        name: 'm',
        async answer({ inputs }) {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return inputs.map((input) => ({ ...input, name: 'y' }));
        },
      },
      { name: 'now', answerNow: ({ inputs }) => inputs.map((input) => ({ ...input, name: 'y' })) },
      {
        name: 'large',
        answer: () => [{ name: 'y', datatype: 'FP32', shape: [ROWS, 4], data: new Float32Array(ROWS * 4) }],
      },
      {
        name: 'never',
        answer: (_, { cancel }) =>
          new Promise((_resolve, reject) => cancel.on(() => reject(new Error('left')))),
      },
    ],
    { maxReceiveMessageBytes: 1_000_000 },
  );
  client = connect(server.port);
});

afterAll(async () => {
  client.close();
  await server.close();
});

const contextsOf = (name: string) =>
  (server.registry.find(name).model as ReturnType<typeof createFakeModel>).contexts;

describe('ModelStreamInfer', () => {
  it('answers one request after the other, each as its last', async () => {
    const stream = client.stream(modelStreamInfer);
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) stream.send({ modelName: 'm', id, inputs: [x], rawInputContents: raw });
    for (const id of ids) {
      const answer = await stream.next();
      expect(answer).toMatchObject({ errorMessage: '', inferResponse: { id, outputs: [{ name: 'y' }] } });
      expect(answer?.inferResponse?.parameters.triton_final_response?.parameterChoice.value).toBe(true);
    }
    stream.call.end();
    expect(await stream.next()).toBeUndefined();
    expect(await stream.status).toMatchObject({ code: status.OK });
    expect(most).toBe(1);
  });

  it('tells an error within the stream, and goes on', async () => {
    const stream = client.stream(modelStreamInfer);
    stream.send({ modelName: 'none', id: 'a', inputs: [x], rawInputContents: raw });
    expect(await stream.next()).toMatchObject({
      errorMessage: expect.stringContaining("Request for unknown model: 'none' is not found"),
      inferResponse: { id: 'a' },
    });
    stream.send({ modelName: 'now', inputs: [x], rawInputContents: [new Uint8Array(3)] });
    expect(await stream.next()).toMatchObject({
      errorMessage: expect.stringContaining('raw_input_contents[0]: expected 16 bytes'),
    });
    stream.send({ modelName: 'now', id: 'c', inputs: [x], rawInputContents: raw });
    expect(await stream.next()).toMatchObject({ errorMessage: '', inferResponse: { id: 'c' } });
    stream.call.end();
    expect(await stream.status).toMatchObject({ code: status.OK });
    expect(server.outcomes.slice(-3).map(({ code }) => code)).toEqual([
      'MODEL_NOT_FOUND',
      'INVALID_INPUT',
      'OK',
    ]);
  });

  it('ends with the error where the client asks for that', async () => {
    const stream = client.stream(modelStreamInfer, { metadata: { triton_grpc_error: 'true' } });
    stream.send({ modelName: 'none', inputs: [x], rawInputContents: raw });
    expect(await stream.next()).toBeUndefined();
    expect(await stream.status).toMatchObject({ code: status.NOT_FOUND });
  });

  it('ends with a message over the limit', async () => {
    const stream = client.stream(modelStreamInfer);
    stream.send({ modelName: 'now', inputs: [x], rawInputContents: [new Uint8Array(1_100_000)] });
    expect(await stream.next()).toBeUndefined();
    expect(await stream.status).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  });

  it('compresses within the stream', async () => {
    const coded = connect(server.port, { 'grpc.default_compression_algorithm': 2 });
    const stream = coded.stream(modelStreamInfer);
    for (let count = 0; count < 3; count += 1) {
      stream.send({
        modelName: 'now',
        inputs: [{ ...x, shape: [1000n, 4n] }],
        rawInputContents: [new Uint8Array(16_000)],
      });
      expect((await stream.next())?.inferResponse?.rawOutputContents[0]).toHaveLength(16_000);
    }
    stream.call.end();
    coded.close();
  });

  it('holds one answer for a client that does not read, and reads no further request of it', async () => {
    const greedy = connectRaw(server.port, { settings: { initialWindowSize: 65_535 } });
    const { create, toBinary } = await import('@bufbuild/protobuf');
    const { ModelInferRequestSchema } = await import('./generated/inference/infer_pb.ts');
    const { framed } = await import('./raw-client.ts');
    const before = contextsOf('large').length;
    const stream = greedy.session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelStreamInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    const request = create(ModelInferRequestSchema, {
      modelName: 'large',
      inputs: [x],
      rawInputContents: raw,
    });
    for (let count = 0; count < 50; count += 1)
      stream.write(framed(toBinary(ModelInferRequestSchema, request)));
    await vi.waitFor(() => expect(contextsOf('large').length).toBe(before + 1));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(contextsOf('large').length).toBe(before + 1);
    stream.resume();
    await vi.waitFor(() => expect(contextsOf('large').length).toBe(before + 50), { timeout: 10_000 });
    greedy.close();
  });

  it('frees the place of a client that leaves', async () => {
    const stream = client.stream(modelStreamInfer);
    stream.send({ modelName: 'never', inputs: [x], rawInputContents: raw });
    await vi.waitFor(() => expect(contextsOf('never')).toHaveLength(1));
    stream.call.cancel();
    await vi.waitFor(() =>
      expect(server.outcomes.at(-1)).toMatchObject({ model: 'never', code: 'CANCELLED' }),
    );
  });
});
