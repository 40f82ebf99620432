/** How long a connection lasts: pings, idle time, age, and room for others. */
import { create, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect } from '../../../test/support/grpc-client.ts';
import { SILENT } from '../../base/telemetry/log.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import type { createFakeModel } from '../../model/fake-model.ts';
import { createConnectionRoom } from '../connection-room.ts';
import { DEFAULT_GRPC_OPTIONS, type GrpcOptions, toGrpcOptions } from './deps.ts';
import { createFakeDeps, type FakeServer, serveFake } from './fake-registry.ts';
import { ModelInferRequestSchema } from './generated/inference/infer_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';
import { createGrpcPort } from './port.ts';
import { connectRaw, framed, type RawClient } from './raw-client.ts';

const { modelInfer, modelStreamInfer, serverLive } = GRPCInferenceService.method;
const SERVER_LIVE = '/inference.GRPCInferenceService/ServerLive';
const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const NO_MESSAGE = framed(new Uint8Array(0));

const request = {
  modelName: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1n, 4n] }],
  rawInputContents: [new Uint8Array(16)],
};
/** Clients are given all the time of the fake clock to answer pings. */
const PATIENT = { keepaliveTimeMs: 1e12, keepaliveTimeoutMs: 1e12 };
const message = framed(toBinary(ModelInferRequestSchema, create(ModelInferRequestSchema, request)));

let server: FakeServer | undefined;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await server?.close();
  server = undefined;
});

/** A server on a fake clock, whose model `m` answers when it is told to. */
async function serve(options: Partial<GrpcOptions>) {
  const clock = createFakeClock();
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
    ],
    { ...PATIENT, ...options },
    clock,
  );
  const { port } = server;
  const { contexts } = server.registry.find('m').model as ReturnType<typeof createFakeModel>;
  return { port, clock, contexts, release: () => waiting.splice(0).forEach((answer) => void answer()) };
}

/** A client that has been answered, and what the server said when it sent it away. */
async function greeted(port: number) {
  const raw = connectRaw(port);
  closing.push(raw.close);
  const goaways: (readonly [code: number, lastStream: number, words: string])[] = [];
  raw.session.on('goaway', (code, last, data) =>
    goaways.push([code, last, Buffer.from(data ?? []).toString()]),
  );
  const closed = new Promise<void>((resolve) => raw.session.on('close', () => resolve()));
  await raw.call(SERVER_LIVE, [NO_MESSAGE]);
  return { raw, goaways, closed };
}

const ping = ({ session }: RawClient) =>
  new Promise<boolean>((resolve) => session.ping((failed) => resolve(failed === null)));

/** Beyond the most that an age may be lengthened by chance. */
const LONGER = 1.11;

describe('a client that pings', () => {
  it('as often as it may is never told to go, with or without calls', async () => {
    const { port, clock } = await serve({ minRecvPingIntervalMs: 1000 });
    const { raw, goaways } = await greeted(port);
    for (let count = 0; count < 6; count += 1) {
      expect(await ping(raw)).toBe(true);
      clock.advance(1000);
    }
    expect(goaways).toEqual([]);
  });

  it('without calls, where that is not permitted, is told to go', async () => {
    const { port, clock } = await serve({ minRecvPingIntervalMs: 1000, keepalivePermitWithoutCalls: false });
    const { raw, goaways, closed } = await greeted(port);
    const pinged: boolean[] = [];
    for (let count = 0; count < 4 && !raw.session.destroyed; count += 1) {
      pinged.push(await ping(raw));
      clock.advance(3600e3);
    }
    await closed;
    expect(goaways).toEqual([[11, 1, 'too_many_pings']]);
    expect(pinged.slice(0, 3)).toEqual([true, true, true]);
  });

  it('beside a call is not, where it waits in between', async () => {
    const { port, clock, contexts, release } = await serve({
      minRecvPingIntervalMs: 1000,
      keepalivePermitWithoutCalls: false,
      defaultTimeoutMs: 1e9,
    });
    const { raw, goaways } = await greeted(port);
    const answer = raw.call(MODEL_INFER, [message]);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    for (let count = 0; count < 6; count += 1) {
      expect(await ping(raw)).toBe(true);
      clock.advance(1000);
    }
    release();
    expect((await answer).trailers).toMatchObject({ 'grpc-status': '0' });
    expect(goaways).toEqual([]);
  });
});

describe('a connection without calls', () => {
  it('ends when it has been idle for long, and one with a call does not', async () => {
    const { port, clock, contexts, release } = await serve({ maxConnectionIdleMs: 1000 });
    const idle = await greeted(port);
    const busy = await greeted(port);
    const answer = busy.raw.call(MODEL_INFER, [message]);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    clock.advance(1000);
    await vi.waitFor(() => expect(idle.goaways).toHaveLength(1));
    clock.advance(250);
    await idle.closed;
    expect(idle.goaways[0]).toEqual([0, 2 ** 31 - 1, '']);
    expect(busy.goaways).toEqual([]);
    release();
    expect((await answer).trailers).toMatchObject({ 'grpc-status': '0' });
    // From the end of its call on.
    clock.advance(750);
    await ping(busy.raw);
    expect(busy.goaways).toEqual([]);
    clock.advance(500);
    clock.advance(250);
    await busy.closed;
  });

  it('ends to make room for another', async () => {
    const clock = createFakeClock();
    const room = createConnectionRoom({ clock, log: SILENT, maxConnections: 2 });
    const own = createGrpcPort({ ...createFakeDeps([], {}, clock), connectionRoom: room });
    closing.push(() => own.close({ graceMs: 0 }));
    const { port } = await own.listen('127.0.0.1', 0);
    const first = await greeted(port);
    const second = await greeted(port);
    const watching = second.raw.session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    watching.on('error', () => {});
    watching.end(NO_MESSAGE);
    await new Promise((resolve) => watching.once('data', resolve));
    clock.advance(1000);
    const third = connectRaw(port);
    await new Promise((resolve) => third.session.on('close', resolve));
    await first.closed;
    expect((await greeted(port)).goaways).toEqual([]);
    expect(second.goaways).toEqual([]);
  });
});

it('gives its place away when it has closed', async () => {
  let inside = 0;
  const door = { entered: () => void inside++, left: () => void inside-- };
  const own = createGrpcPort({ ...createFakeDeps([]), connectionRoom: { open: () => door } });
  closing.push(() => own.close({ graceMs: 0 }));
  const { port } = await own.listen('127.0.0.1', 0);
  for (let count = 0; count < 3; count += 1) {
    const { raw, closed } = await greeted(port);
    expect(inside).toBe(1);
    raw.close();
    await closed;
    await vi.waitFor(() => expect(inside).toBe(0));
  }
});

describe('a connection of a certain age', () => {
  it('takes no new calls; clients open another, and no call fails', async () => {
    const { port, clock, contexts, release } = await serve({ maxConnectionAgeMs: 1000 });
    const client = connect(port);
    closing.push(client.close);
    const running = client.unary(modelInfer, request);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    for (let count = 0; count < 5; count += 1) {
      clock.advance(1000 * LONGER);
      const calls = Array.from({ length: 20 }, () => client.unary(serverLive, {}));
      expect(await Promise.all(calls)).toHaveLength(20);
    }
    release();
    expect(await running).toMatchObject({ modelName: 'm' });
  });

  it('ends when its last call has', async () => {
    const { port, clock, contexts, release } = await serve({ maxConnectionAgeMs: 1000 });
    const { raw, goaways, closed } = await greeted(port);
    const answer = raw.call(MODEL_INFER, [message]);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    clock.advance(1000 * LONGER + 250);
    await vi.waitFor(() => expect(goaways).toHaveLength(2));
    // First that it is to open no more, then which of its calls were still taken.
    expect(goaways).toEqual([
      [0, 2 ** 31 - 1, ''],
      [0, 3, ''],
    ]);
    release();
    expect((await answer).trailers).toMatchObject({ 'grpc-status': '0' });
    await closed;
  });

  it('is cut when the grace of its calls is over', async () => {
    const { port, clock, contexts } = await serve({
      maxConnectionAgeMs: 1000,
      maxConnectionAgeGraceMs: 400,
      defaultTimeoutMs: 1e9,
    });
    const { raw, goaways, closed } = await greeted(port);
    void raw.call(MODEL_INFER, [message]);
    await vi.waitFor(() => expect(contexts).toHaveLength(1));
    clock.advance(1000 * LONGER + 100);
    await vi.waitFor(() => expect(goaways).toHaveLength(2));
    expect(contexts[0]?.cancel.cancelled).toBe(false);
    clock.advance(500);
    await closed;
    await vi.waitFor(() => expect(contexts[0]?.cancel.cancelled).toBe(true));
  });
});

describe('messages to the client', () => {
  it('are refused beyond the limit, in streams one by one', async () => {
    const { port, contexts, release } = await serve({ maxSendMessageBytes: 80 });
    const client = connect(port);
    closing.push(client.close);
    const large = { ...request, rawInputContents: [new Uint8Array(160)] };
    const ten = { ...large, inputs: [{ name: 'x', datatype: 'FP32', shape: [10n, 4n] }] };
    const refused = client.unary(modelInfer, ten).catch((failed: unknown) => failed);
    const stream = client.stream(modelStreamInfer);
    stream.send(ten);
    await vi.waitFor(() => expect(contexts).toHaveLength(2));
    release();
    expect(await refused).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('answer: expected at most 80 bytes, got '),
    });
    expect(await stream.next()).toMatchObject({ errorMessage: expect.stringContaining('at most 80 bytes') });
    stream.send(request);
    await vi.waitFor(() => expect(contexts).toHaveLength(3));
    release();
    expect(await stream.next()).toMatchObject({ errorMessage: '' });
    stream.call.end();
    const { serverMetadata } = GRPCInferenceService.method;
    await expect(client.unary(serverMetadata, {})).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(server?.outcomes.map(({ code }) => code).sort()).toEqual([
      'OK',
      'PAYLOAD_TOO_LARGE',
      'PAYLOAD_TOO_LARGE',
    ]);
  });
});

describe('toGrpcOptions', () => {
  it("takes HTTP's limits where nothing else is asked for", () => {
    const http = { defaultTimeoutMs: 1, receiveTimeoutMs: 2, sendTimeoutMs: 3, maxBodyBytes: 4 };
    expect(toGrpcOptions(http, { receiveTimeoutMs: 5, maxConnectionAgeMs: 6 })).toEqual({
      ...DEFAULT_GRPC_OPTIONS,
      defaultTimeoutMs: 1,
      receiveTimeoutMs: 5,
      sendTimeoutMs: 3,
      maxReceiveMessageBytes: 4,
      maxConnectionAgeMs: 6,
    });
  });
});
