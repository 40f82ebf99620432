/** Connections: how many calls they carry, who is cut, and how they end. */
import { connect as connectSocket, createServer as createSocketServer } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../../test/support/grpc-client.ts';
import type { Clock } from '../../base/util/clock.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import type { createFakeModel } from '../../model/fake-model.ts';
import { type FakeServer, serveFake } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { connectRaw, framed, type RawAnswer } from './raw-client.ts';

const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const { modelInfer, modelStreamInfer, serverLive } = GRPCInferenceService.method;
const request = {
  modelName: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 4n] }],
  rawInputContents: [new Uint8Array(16)],
};
const SERVER_LIVE = '/inference.GRPCInferenceService/ServerLive';
const STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';
/** An HTTP/2 frame of type 4 without content. */
const EMPTY_SETTINGS = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
const message = framed(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request)));

let server: FakeServer | undefined;
const closing: (() => void)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await server?.close();
  server = undefined;
});

/** A server whose model `m` answers when it is told to. */
async function serve(options: Parameters<typeof serveFake>[1] = {}, clock?: Clock) {
  const waiting: (() => void)[] = [];
  server = await serveFake(
    [
      {
        name: 'm',
        async answer({ inputs }) {
          await new Promise<void>((resolve) => waiting.push(resolve));
          return inputs.map((input) => ({ ...input, name: 'y' }));
        },
      },
      {
        name: 'large',
        answerNow: () => [
          { name: 'y', datatype: 'FP32', shape: [2_000_000, 4], data: new Float32Array(8e6) },
        ],
      },
    ],
    options,
    clock,
  );
  const client = connect(server.port);
  const raw = connectRaw(server.port);
  closing.push(client.close, raw.close);
  const { contexts } = server.registry.find('m').model as ReturnType<typeof createFakeModel>;
  return {
    server,
    client,
    raw,
    contexts,
    release: () => waiting.splice(0).forEach((answer) => void answer()),
  };
}

describe('a connection', () => {
  it('carries as many calls at once as it says, and no more', async () => {
    const { client, contexts, release } = await serve({ maxConcurrentStreams: 3 });
    // The limit is known to the client from the first answer on.
    await client.unary(serverLive, {});
    const calls = Array.from({ length: 5 }, () => client.unary(modelInfer, request));
    await vi.waitFor(() => expect(contexts).toHaveLength(3));
    release();
    await vi.waitFor(() => expect(contexts).toHaveLength(5));
    release();
    await Promise.all(calls);
  });

  it('carries many calls, large and small, side by side', async () => {
    const { client, release, contexts } = await serve();
    const calls = Array.from({ length: 200 }, (_, index) =>
      client.unary(
        modelInfer,
        index % 40 === 0 ? { ...request, modelName: 'large' } : { ...request, id: `${index}` },
      ),
    );
    await vi.waitFor(() => expect(contexts).toHaveLength(195));
    release();
    const answers = await Promise.all(calls);
    expect(answers.map(({ rawOutputContents }) => rawOutputContents[0]?.length)).toEqual(
      answers.map((_, index) => (index % 40 === 0 ? 32e6 : 16)),
    );
  });

  it('is turned away when it pings too often, and not for pings beside calls', async () => {
    const { raw } = await serve();
    const ping = () => new Promise<Error | null>((resolve) => raw.session.ping((failed) => resolve(failed)));
    const told = new Promise<readonly unknown[]>((resolve) =>
      raw.session.on('goaway', (code, _last, data) => resolve([code, Buffer.from(data ?? []).toString()])),
    );
    for (let count = 0; count < 5; count += 1) {
      await raw.call(SERVER_LIVE, [framed(new Uint8Array(0))]);
      expect(await ping()).toBeNull();
    }
    for (let count = 0; count < 2; count += 1) expect(await ping()).toBeNull();
    void ping();
    expect(await told).toEqual([11, 'too_many_pings']);
  });

  it('is asked whether somebody is there, and cut when nobody answers', async () => {
    const clock = createFakeClock();
    const { server, raw } = await serve({ keepaliveTimeMs: 1000, keepaliveTimeoutMs: 400 }, clock);
    const call = () => raw.call(SERVER_LIVE, [framed(new Uint8Array(0))]);
    await call();
    const dead = connectSocket(server.port, '127.0.0.1');
    // The preface and empty settings, and then nothing, not even answers to pings.
    dead.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), EMPTY_SETTINGS]));
    dead.resume();
    const closed = new Promise((resolve) => dead.on('close', resolve));
    // The answer to settings: the server knows of it.
    await new Promise((resolve) => dead.once('data', resolve));
    clock.advance(1000);
    // What the client sends after a ping's answer comes after it.
    await call();
    clock.advance(500);
    await closed;
    expect((await call()).trailers).toMatchObject({ 'grpc-status': '0' });
  });

  it('is cut when it never begins to speak', async () => {
    const { server } = await serve({ receiveTimeoutMs: 40 });
    const silent = connectSocket(server.port, '127.0.0.1');
    silent.resume();
    await new Promise((resolve) => silent.on('close', resolve));
  });

  it('that speaks HTTP/1.1 ends, and nothing else does', async () => {
    const { server, raw } = await serve();
    const wrong = connectSocket(server.port, '127.0.0.1');
    wrong.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
    wrong.resume();
    await new Promise((resolve) => wrong.on('close', resolve));
    const answer = await raw.call(SERVER_LIVE, [framed(new Uint8Array(0))]);
    expect(answer.trailers).toMatchObject({ 'grpc-status': '0' });
  });
});

describe('a client that stalls', () => {
  it('in the middle of its message is told so, between two of a stream it is not', async () => {
    const clock = createFakeClock();
    const { raw, client, contexts, release } = await serve({ receiveTimeoutMs: 1000 }, clock);
    await client.unary(serverLive, {});
    const idle = client.stream(modelStreamInfer);
    await raw.call(SERVER_LIVE, [framed(new Uint8Array(0))]);

    for (const path of [MODEL_INFER, STREAM_INFER]) {
      let answer: RawAnswer | undefined;
      void raw.call(path, [message.subarray(0, 20)], { isOpen: true }).then((told) => {
        answer = told;
      });
      await vi.waitFor(() => {
        clock.advance(500);
        expect(answer).toBeDefined();
      });
      expect({ ...answer?.headers, ...answer?.trailers }).toMatchObject({
        'grpc-status': String(status.DEADLINE_EXCEEDED),
        'nimify-code': 'REQUEST_TIMEOUT',
      });
    }
    idle.send(request);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    release();
    expect(await idle.next()).toMatchObject({ errorMessage: '' });
    idle.call.end();
  });

  it('before its answer is cut off', async () => {
    const { server } = await serve({ sendTimeoutMs: 40 });
    const lazy = connectRaw(server.port, { settings: { initialWindowSize: 1000 } });
    closing.push(lazy.close);
    const stream = lazy.session.request({
      ':method': 'POST',
      ':path': MODEL_INFER,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.pause();
    const large = create(ModelInferRequestSchema, { ...request, modelName: 'large' });
    stream.end(framed(toBinary(ModelInferRequestSchema, large)));
    await new Promise((resolve) => stream.on('close', resolve));
    expect(stream.rstCode).toBe(8);
  });
});

describe('draining', () => {
  it('lets running calls finish, refuses new ones, and ends', async () => {
    const { server, client, raw, contexts, release } = await serve();
    const running = client.unary(modelInfer, request);
    const stream = client.stream(modelStreamInfer);
    stream.send(request);
    const idle = client.stream(modelStreamInfer);
    await vi.waitFor(() => expect(contexts).toHaveLength(2));
    const goaway = new Promise<readonly unknown[]>((resolve) =>
      raw.session.on('goaway', (code, last) => resolve([code, last])),
    );
    server.server.startDraining();
    expect(await goaway).toEqual([0, 2 ** 31 - 1]);

    const closed = server.server.close({ graceMs: 10_000 });
    expect(await idle.next()).toBeUndefined();
    expect(await idle.status).toMatchObject({ code: status.UNAVAILABLE });
    const late = connectRaw(server.port);
    closing.push(late.close);
    const refused = await late.call(MODEL_INFER, [message]);
    expect(refused.headers).toMatchObject({ 'grpc-status': String(status.UNAVAILABLE), 'retry-after': '1' });
    release();
    expect(await running).toMatchObject({ modelName: 'm' });
    expect(await stream.next()).toMatchObject({ errorMessage: '' });
    await closed;
    expect(await stream.status).toMatchObject({ code: status.UNAVAILABLE });
    await expect(client.unary(serverLive, {})).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });

  it('cuts what still runs when the grace period is over', async () => {
    const { server, client, contexts } = await serve();
    const running = client.unary(modelInfer, request);
    const failed = expect(running).rejects.toMatchObject({ code: expect.any(Number) });
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    await server.server.close({ graceMs: 30 });
    await failed;
    expect(contexts[0]?.cancel.cancelled).toBe(true);
  });
});

describe('listening', () => {
  it('says what to do where the port is taken', async () => {
    const other = createSocketServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const { createGrpcPort } = await import('./port.ts');
    const { createFakeDeps } = await import('./fake-registry.ts');
    const taken = createGrpcPort(createFakeDeps([]));
    await expect(taken.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('--grpc-port'),
    });
    await taken.close({ graceMs: 0 });
    other.close();
  });
});
