import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type ReferenceClient } from '../../../test/support/grpc-client.ts';
import { type FakeServer, ROWS_OF_FOUR, served, serveFake } from './fake-registry.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from './generated/grpc/health/v1/health_pb.ts';
import { ServerReflection } from './generated/grpc/reflection/v1/reflection_pb.ts';
import { ServerReflection as ServerReflectionAlpha } from './generated/grpc/reflection/v1alpha/reflection_pb.ts';
import { DataType } from './generated/inference/model_config_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';

const inference = GRPCInferenceService.method;

let server: FakeServer;
let client: ReferenceClient;

beforeAll(async () => {
  const strings = {
    ...ROWS_OF_FOUR,
    inputs: [{ name: 's', datatype: 'BYTES' as const, shape: [], dimensionNames: [], optional: true }],
  };
  server = await serveFake([
    { name: 'm' },
    { name: 'm', version: '3' },
    { name: 'strings', signature: strings },
  ]);
  client = connect(server.port);
});

afterAll(async () => {
  client.close();
  await server.close();
});

describe('inference.GRPCInferenceService', () => {
  it('says that it lives and is ready', async () => {
    expect(await client.unary(inference.serverLive, {})).toMatchObject({ live: true });
    expect(await client.unary(inference.serverReady, {})).toMatchObject({ ready: true });
    expect(await client.unary(inference.modelReady, { name: 'm' })).toMatchObject({ ready: true });
    server.registry.expect('coming', '1');
    expect(await client.unary(inference.serverReady, {})).toMatchObject({ ready: false });
    expect(await client.unary(inference.modelReady, { name: 'coming' })).toMatchObject({ ready: false });
    server.registry.add(served({ name: 'coming' }));
    await expect(client.unary(inference.modelReady, { name: 'none' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('describes itself and its models', async () => {
    expect(await client.unary(inference.serverMetadata, {})).toMatchObject({
      name: 'nimify',
      version: '0.0.0-test',
    });
    expect(await client.unary(inference.modelMetadata, { name: 'm', version: '1' })).toMatchObject({
      name: 'm',
      versions: ['1', '3'],
      platform: 'fake_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1n, 4n] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1n, 4n] }],
    });
    expect((await client.unary(inference.modelConfig, { name: 'strings' })).config).toMatchObject({
      name: 'strings',
      platform: 'fake_onnx',
      backend: 'fake',
      maxBatchSize: 0,
      input: [{ name: 's', dataType: DataType.TYPE_STRING, dims: [], optional: true }],
      output: [{ name: 'y', dataType: DataType.TYPE_FP32, dims: [-1n, 4n] }],
      defaultModelFilename: 'strings.onnx',
    });
  });

  it('lists what is in the repository', async () => {
    const { models } = await client.unary(inference.repositoryIndex, { ready: true });
    expect(models.filter(({ name }) => name === 'm')).toMatchObject([
      { name: 'm', version: '1', state: 'READY' },
      { name: 'm', version: '3', state: 'READY' },
    ]);
    await expect(client.unary(inference.repositoryIndex, { repositoryName: 'r' })).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  it('reads and sets what is logged', async () => {
    const settings = async (changes: Record<string, boolean | number | string> = {}) => {
      const asked = Object.entries(changes).map(([name, value]) => {
        const kind =
          typeof value === 'boolean'
            ? 'boolParam'
            : typeof value === 'number'
              ? 'uint32Param'
              : 'stringParam';
        return [name, { parameterChoice: { case: kind, value } as never }];
      });
      const answer = await client.unary(inference.logSettings, { settings: Object.fromEntries(asked) });
      return Object.fromEntries(
        Object.entries(answer.settings).map(([name, { parameterChoice }]) => [name, parameterChoice.value]),
      );
    };
    expect(await settings()).toEqual({
      log_file: '',
      log_info: true,
      log_warning: true,
      log_error: true,
      log_verbose_level: 0,
      log_format: 'ISO8601',
    });
    expect(await settings({ log_verbose_level: 2 })).toMatchObject({ log_verbose_level: 1 });
    expect(server.log.level).toBe('debug');
    expect(await settings({ log_verbose_level: 0, log_info: false })).toMatchObject({ log_info: false });
    expect(server.log.level).toBe('warn');
    await expect(settings({ log_error: false })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(settings({ log_error: 1 })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(settings({ loud: true })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(settings({ log_file: '/etc/passwd' })).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    expect(server.log.level).toBe('warn');
  });

  it.each([
    [inference.systemSharedMemoryStatus, 'shared memory'],
    [inference.systemSharedMemoryRegister, 'shared memory'],
    [inference.systemSharedMemoryUnregister, 'shared memory'],
    [inference.cudaSharedMemoryStatus, 'shared memory'],
    [inference.cudaSharedMemoryRegister, 'shared memory'],
    [inference.cudaSharedMemoryUnregister, 'shared memory'],
    [inference.traceSetting, 'traces'],
    [inference.modelStatistics, 'statistics'],
    [inference.repositoryModelLoad, 'models are loaded when'],
    [inference.repositoryModelUnload, 'models are served until'],
  ])('refuses with a reason what is not offered: $name', async (method, reason) => {
    await expect(client.unary(method, {})).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining(reason),
    });
  });
});

describe('grpc.health.v1.Health', () => {
  it('tells what the server is', async () => {
    for (const service of ['', 'inference.GRPCInferenceService']) {
      expect(await client.unary(Health.method.check, { service })).toMatchObject({ status: Serving.SERVING });
    }
    await expect(client.unary(Health.method.check, { service: 'other' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    expect((await client.unary(Health.method.list, {})).statuses['']).toMatchObject({
      status: Serving.SERVING,
    });
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
