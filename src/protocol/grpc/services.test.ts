import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connect, type ReferenceClient } from '../../../test/support/grpc-client.ts';
import { createFakeClock } from '../../base/util/fake-clock.ts';
import { type FakeServer, served, serveFake } from './fake-registry.ts';
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Serving,
} from './generated/grpc/health/v1/health_pb.ts';
import { ServerReflection } from './generated/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { ERROR, FLAG, FRAME } from './http2/constants.ts';
import { connectFrames, frame, numberFrame, requestFrame } from './http2/frame-client.ts';
import { framed } from './raw-client.ts';

let server: FakeServer;
let client: ReferenceClient;

beforeAll(async () => {
  server = await serveFake([{ name: 'm' }]);
  client = connect(server.port);
});

afterAll(async () => {
  client.close();
  await server.close();
});

describe('grpc.health.v1.Health', () => {
  it('tells what the server is', async () => {
    for (const service of ['', 'inference.GRPCInferenceService', 'm']) {
      expect(await client.unary(Health.method.check, { service })).toMatchObject({ status: Serving.SERVING });
    }
    await expect(client.unary(Health.method.check, { service: 'other' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const { statuses } = await client.unary(Health.method.list, {});
    expect(Object.keys(statuses).sort()).toEqual(['', 'inference.GRPCInferenceService', 'm']);
    expect(statuses['']).toMatchObject({ status: Serving.SERVING });
  });

  it('tells of each model by its name, as it comes and goes', async () => {
    const own = await serveFake([{ name: 'm' }]);
    const watcher = connect(own.port);
    const stream = watcher.stream(Health.method.watch);
    stream.send({ service: 'coming' });
    stream.call.end();
    expect(await stream.next()).toMatchObject({ status: Serving.SERVICE_UNKNOWN });
    own.registry.expect('coming', '1');
    expect(await stream.next()).toMatchObject({ status: Serving.NOT_SERVING });
    // The others are as ready as before.
    expect(await watcher.unary(Health.method.check, { service: 'm' })).toMatchObject({
      status: Serving.SERVING,
    });
    expect(await watcher.unary(Health.method.check, {})).toMatchObject({ status: Serving.NOT_SERVING });
    own.registry.add(served({ name: 'coming' }));
    expect(await stream.next()).toMatchObject({ status: Serving.SERVING });
    own.registry.remove('coming', '1');
    expect(await stream.next()).toMatchObject({ status: Serving.SERVICE_UNKNOWN });
    watcher.close();
    await own.close();
  });

  it('forgets who leaves before it has begun to watch', async () => {
    const clock = createFakeClock();
    const own = await serveFake([], {}, clock);
    const watcher = await connectFrames(own.port);
    // To decompress it takes longer than to leave.
    const long = toBinary(
      HealthCheckRequestSchema,
      create(HealthCheckRequestSchema, { service: 'm'.repeat(8e6) }),
    );
    const compressed = framed(gzipSync(long), true);
    const watch = (id: number) => [
      requestFrame(id, { ':path': '/grpc.health.v1.Health/Watch', 'grpc-encoding': 'gzip' }),
      frame(FRAME.DATA, FLAG.END_STREAM, id, compressed),
    ];
    const told = (id: number) => vi.waitFor(() => expect(watcher.content.get(id)).toHaveLength(1), 10_000);
    const leave = (id: number) => numberFrame(FRAME.RST_STREAM, id, ERROR.CANCEL);
    watcher.send(...watch(1));
    await told(1);
    const { pendingTimers } = clock;
    watcher.send(leave(1), ...watch(3), frame(FRAME.PING, 0, 0, Buffer.alloc(8)));
    await vi.waitFor(() => expect(watcher.pongs).toBe(1), { interval: 1 });
    watcher.send(leave(3), ...watch(5));
    await told(5);
    watcher.send(leave(5));
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(pendingTimers - 1));
    watcher.socket.destroy();
    await own.close();
  });

  it('tells those who watch when it changes, and ends with the server', async () => {
    const own = await serveFake([{ name: 'm' }]);
    const watcher = connect(own.port);
    const stream = watcher.stream(Health.method.watch);
    stream.send({});
    stream.call.end();
    expect(await stream.next()).toMatchObject({ status: Serving.SERVING });
    own.registry.expect('coming', '1');
    expect(await stream.next()).toMatchObject({ status: Serving.NOT_SERVING });
    own.registry.add(served({ name: 'coming' }));
    expect(await stream.next()).toMatchObject({ status: Serving.SERVING });
    const other = watcher.stream(Health.method.watch);
    other.send({ service: 'other' });
    other.call.end();
    expect(await other.next()).toMatchObject({ status: Serving.SERVICE_UNKNOWN });
    own.registry.startDraining();
    own.server.startDraining();
    expect(await stream.next()).toMatchObject({ status: Serving.NOT_SERVING });
    await own.server.close({ graceMs: 5000 });
    expect(await stream.status).toMatchObject({ code: status.UNAVAILABLE });
    watcher.close();
  });
});

describe.each([
  ['v1', ServerReflection],
  ['v1alpha', ServerReflectionAlpha],
])('server reflection %s', (_version, service) => {
  async function ask(request: { case: string; value: unknown }) {
    const stream = client.stream(service.method.serverReflectionInfo);
    stream.send({ messageRequest: request as never });
    const answer = await stream.next();
    stream.call.end();
    return answer?.messageResponse;
  }
  const filesOf = (answer: Awaited<ReturnType<typeof ask>>) =>
    answer?.case === 'fileDescriptorResponse'
      ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      : [];

  it('lists the services', async () => {
    expect(await ask({ case: 'listServices', value: '' })).toMatchObject({
      value: {
        service: [
          { name: 'grpc.health.v1.Health' },
          { name: 'grpc.reflection.v1.ServerReflection' },
          { name: 'grpc.reflection.v1alpha.ServerReflection' },
          { name: 'inference.GRPCInferenceService' },
        ],
      },
    });
  });

  it.each([
    'inference.GRPCInferenceService',
    'inference.GRPCInferenceService.ModelInfer',
    'inference.ModelInferRequest',
    'inference.ModelInferRequest.InferInputTensor',
    'inference.ModelInferRequest.model_name',
    'inference.DataType',
  ])('finds the file of %s, with all that it imports', async (symbol) => {
    const files = filesOf(await ask({ case: 'fileContainingSymbol', value: symbol }));
    const names = new Set(files.map(({ name }) => name));
    for (const { dependency } of files) for (const name of dependency) expect(names).toContain(name);
    expect(files[0]?.package).toBe('inference');
    expect(filesOf(await ask({ case: 'fileByFilename', value: files[0]?.name }))).toEqual(files);
  });

  it('says what it does not know', async () => {
    const notFound = { case: 'errorResponse', value: { errorCode: status.NOT_FOUND } };
    expect(await ask({ case: 'fileByFilename', value: 'no.proto' })).toMatchObject(notFound);
    expect(await ask({ case: 'fileContainingSymbol', value: 'no.Thing' })).toMatchObject(notFound);
    const extension = { containingType: 'inference.ModelInferRequest', extensionNumber: 7 };
    expect(await ask({ case: 'fileContainingExtension', value: extension })).toMatchObject(notFound);
    expect(await ask({ case: 'allExtensionNumbersOfType', value: 'no.Thing' })).toMatchObject(notFound);
    expect(
      await ask({ case: 'allExtensionNumbersOfType', value: 'inference.ModelInferRequest' }),
    ).toMatchObject({
      case: 'allExtensionNumbersResponse',
      value: { extensionNumber: [] },
    });
  });
});
