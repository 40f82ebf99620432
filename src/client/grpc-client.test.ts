/** Against gRPC's own server. */

import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeModelInferRequest } from '../base/oip/decode-protobuf.ts';
import { encodeModelInferResponse } from '../base/oip/encode-protobuf.ts';
import { createProtobufWriter } from '../base/oip/protobuf-writer.ts';
import type { Tensor } from '../base/tensor/tensor.ts';
import type { Client, ClientOptions } from './contract.ts';
import { createGrpcClient } from './grpc-client.ts';

const NUMBERS: Tensor = { name: 'n', datatype: 'FP32', shape: [2], data: Float32Array.of(0.5, -1) };
const CALL = { model: 'm', inputs: [NUMBERS] };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(port: number, options: Partial<ClientOptions> = {}): Client {
  const client = createGrpcClient({
    url: `grpc://127.0.0.1:${port}`,
    retry: { firstDelayMs: 1 },
    ...options,
  });
  closers.push(() => client.close());
  return client;
}

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Handler = (call: Unary, answer: sendUnaryData<Buffer>) => void;

/** gRPC's own server, with bytes for messages. */
async function reference(methods: Readonly<Record<string, Handler>>): Promise<number> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const bytes = (message: Buffer) => message;
  const definition = Object.fromEntries(
    Object.keys(methods).map((name) => [
      name,
      {
        path: `/inference.GRPCInferenceService/${name}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    ]),
  );
  server.addService(definition, methods);
  closers.push(() => server.forceShutdown());
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (failed, port) =>
      failed === null ? resolve(port) : reject(failed),
    ),
  );
}

/** Answers an inference with its own inputs. */
const echo: Handler = (call, answer) => {
  const { model, id, inputs } = decodeModelInferRequest({ bytes: new Uint8Array(call.request) });
  const { chunks } = encodeModelInferResponse(
    { model, version: '3', id, outputs: inputs, parameters: {} },
    0,
  );
  answer(null, Buffer.concat(chunks));
};

describe("against gRPC's own server", () => {
  it('infers, with metadata and the time that is left', async () => {
    const calls: Unary[] = [];
    const port = await reference({
      ModelInfer(call, answer) {
        calls.push(call);
        echo(call, answer);
      },
    });
    const client = open(port, { headers: { Authorization: 'Bearer t' } });
    const answer = await client.infer({ ...CALL, id: 'i', timeoutMs: 60_000 });
    expect(answer).toEqual({ model: 'm', version: '3', id: 'i', outputs: [NUMBERS], parameters: {} });
    const [call] = calls;
    expect(call?.metadata.get('authorization')).toEqual(['Bearer t']);
    const leftMs = Number(call?.getDeadline()) - Date.now();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(60_000);
  });

  it('carries messages of many frames, side by side', async () => {
    const client = open(await reference({ ModelInfer: echo }));
    const answers = await Promise.all(
      [1, 150_528, 3, 700_000].map(async (count) => {
        const data = Float64Array.from({ length: count }, (_, at) => at / 3);
        const input: Tensor = { name: 'x', datatype: 'FP64', shape: [count], data };
        return { input, outputs: (await client.infer({ model: 'm', inputs: [input] })).outputs };
      }),
    );
    for (const { input, outputs } of answers) {
      expect(outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
        ['x', 'FP64', input.shape],
      ]);
      expect(Buffer.compare(bytesOf(outputs[0]), bytesOf(input))).toBe(0);
    }
  });

  it('reads what servers say of themselves and of models', async () => {
    const writer = createProtobufWriter();
    const written = (write: () => void): Buffer => {
      writer.clear(0);
      write();
      return Buffer.concat(writer.take().chunks);
    };
    const asked: string[] = [];
    const port = await reference({
      ServerLive: (_call, answer) =>
        answer(
          null,
          written(() => writer.number(1, 1)),
        ),
      ServerReady: (_call, answer) => answer(null, Buffer.alloc(0)),
      ModelReady(call, answer) {
        asked.push(call.request.toString('latin1'));
        answer(
          null,
          written(() => writer.number(1, 1)),
        );
      },
      ServerMetadata: (_call, answer) =>
        answer(
          null,
          written(() => {
            writer.text(1, 'server');
            writer.text(2, '2.0');
            writer.text(3, 'a');
            writer.text(9, 'what is this');
            writer.text(3, 'b');
          }),
        ),
      ModelMetadata: (_call, answer) =>
        answer(
          null,
          written(() => {
            writer.text(1, 'm');
            writer.text(2, '1');
            writer.text(3, 'p');
            writer.nested(4, () => {
              writer.text(1, 'x');
              writer.text(2, 'FP16');
              writer.nested(3, () => {
                writer.varint(-1);
                writer.varint(4);
              });
            });
            writer.nested(5, () => {
              writer.text(1, 'y');
              writer.text(2, 'BYTES');
              // One by one, as old writers do.
              writer.number(3, 2);
              writer.number(3, 3);
            });
          }),
        ),
    });
    const client = open(port);
    expect([await client.live(), await client.ready(), await client.modelReady('m', '2')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(asked).toEqual(['\n\u0001m\u0012\u00012']);
    expect(await client.serverMetadata()).toEqual({ name: 'server', version: '2.0', extensions: ['a', 'b'] });
    expect(await client.modelMetadata('m')).toMatchObject({
      name: 'm',
      versions: ['1'],
      platform: 'p',
      inputs: [{ name: 'x', datatype: 'FP16', shape: [-1, 4] }],
      outputs: [{ name: 'y', datatype: 'BYTES', shape: [2, 3] }],
    });
  });

  it('takes what is unknown or unavailable for not ready, and nothing else', async () => {
    let code = status.NOT_FOUND;
    const port = await reference({
      ModelReady: (_call, answer) => answer({ code, details: 'no' }),
      ServerReady: (_call, answer) => answer({ code, details: 'no' }),
    });
    const client = open(port);
    expect(await client.modelReady('m')).toBe(false);
    code = status.UNAVAILABLE;
    expect([await client.modelReady('m'), await client.ready()]).toEqual([false, false]);
    code = status.PERMISSION_DENIED;
    await expect(client.ready()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  it.each([
    [status.INVALID_ARGUMENT, {}, 'INVALID_INPUT'],
    [status.NOT_FOUND, { 'nimify-code': 'MODEL_NOT_FOUND' }, 'MODEL_NOT_FOUND'],
    [status.NOT_FOUND, { 'nimify-code': 'toString' }, 'NOT_FOUND'],
    [status.UNKNOWN, {}, 'ENGINE_FAILED'],
    [status.UNAUTHENTICATED, {}, 'UNAUTHENTICATED'],
    [status.RESOURCE_EXHAUSTED, { 'nimify-code': 'PAYLOAD_TOO_LARGE' }, 'PAYLOAD_TOO_LARGE'],
    [status.DEADLINE_EXCEEDED, {}, 'DEADLINE_EXCEEDED'],
  ])('throws status %i with %j as %s, once', async (code, trailers, expected) => {
    let asked = 0;
    const port = await reference({
      ModelInfer(_call, answer) {
        asked += 1;
        answer({ code, details: 'schlecht: 5 % \u{1F331}', metadata: metadataOf(trailers) });
      },
    });
    await expect(open(port).infer(CALL)).rejects.toMatchObject({
      name: 'NimifyError',
      code: expected,
      message: 'schlecht: 5 % \u{1F331}',
      details: { grpcStatus: code },
    });
    expect(asked).toBe(1);
  });

  it.each([
    ['retry-after', { 'retry-after': '1' }],
    ['grpc-retry-pushback-ms', { 'grpc-retry-pushback-ms': '2', 'retry-after': '60' }],
    ['neither', {}],
  ])('comes again where the server was busy and says %s', async (_, trailers) => {
    let asked = 0;
    const port = await reference({
      ModelInfer(call, answer) {
        asked += 1;
        if (asked > 1) echo(call, answer);
        else answer({ code: status.UNAVAILABLE, details: 'busy', metadata: metadataOf(trailers) });
      },
    });
    expect((await open(port).infer(CALL)).outputs).toEqual([NUMBERS]);
    expect(asked).toBe(2);
  });

  it('does not come again where the server says never, nor before its time is over', async () => {
    let asked = 0;
    let pushback = '-1';
    const port = await reference({
      ModelInfer(_call, answer) {
        asked += 1;
        answer({
          code: status.UNAVAILABLE,
          details: 'no',
          metadata: metadataOf({ 'grpc-retry-pushback-ms': pushback }),
        });
      },
    });
    const client = open(port);
    await expect(client.infer(CALL)).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    pushback = '90000';
    await expect(client.infer(CALL)).rejects.toMatchObject({ retryAfterMs: 90_000 });
    expect(asked).toBe(2);
  });

  it('ends calls at the deadline and when the caller leaves, and the server sees both', async () => {
    const cancelled: Promise<void>[] = [];
    let arrived = () => {};
    const port = await reference({
      ModelInfer(call) {
        cancelled.push(new Promise((resolve) => call.on('cancelled', () => resolve())));
        arrived();
      },
    });
    const client = open(port);
    await expect(client.infer({ ...CALL, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    const abort = new AbortController();
    arrived = () => abort.abort();
    await expect(client.infer({ ...CALL, signal: abort.signal })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    await Promise.all(cancelled);
    expect(cancelled).toHaveLength(2);
  });

  it('lets running calls finish when it is closed, and opens another connection after the server ended one', async () => {
    let release = () => {};
    const port = await reference({
      ModelInfer(call, answer) {
        release = () => echo(call, answer);
        if (decodeModelInferRequest({ bytes: new Uint8Array(call.request) }).id !== 'wait') release();
      },
    });
    const client = open(port);
    await client.infer(CALL);
    const answer = client.infer({ ...CALL, id: 'wait' });
    const before = release;
    await expect.poll(() => release !== before).toBe(true);
    const closing = client.close();
    release();
    expect((await answer).id).toBe('wait');
    await closing;
    await expect(client.infer(CALL)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

function bytesOf(tensor: Tensor | undefined): Uint8Array {
  const { buffer, byteOffset, byteLength } = (tensor as Tensor).data as Float64Array;
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function metadataOf(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}
