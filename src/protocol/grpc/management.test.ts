import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type ReferenceClient } from '../../../test/support/grpc-client.ts';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { readModelConfig } from '../../base/triton/read-model-config.ts';
import { systemClock } from '../../base/util/clock.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import { createStatistics } from '../../registry/statistics.ts';
import { type FakeServer, served, serveFake } from './fake-registry.ts';
import {
  DataType,
  ModelInstanceGroup_Kind,
  ModelQueuePolicy_TimeoutAction,
} from './generated/inference/model_config_pb.ts';
import { GRPCInferenceService } from './generated/inference/service_pb.ts';

const inference = GRPCInferenceService.method;

/** One field at least of every kind. */
const WHOLE_CONFIG = `
  max_batch_size: 8
  version_policy { specific { versions: [1, 9007199254740991] } }
  dynamic_batching {
    preferred_batch_size: [4, 8]
    max_queue_delay_microseconds: 100
    priority_queue_policy { key: 1 value { timeout_action: DELAY } }
  }
  instance_group [{ kind: KIND_CPU count: 2 }]
  parameters { key: "a" value { string_value: "b" } }
  cc_model_filenames { key: "7.5" value: "m" }
  model_warmup { name: "w" inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 zero_data: true } } }
  response_cache { enable: true }
`;

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
    for (const request of [{ name: 'none' }, { name: 'm', version: '7' }]) {
      expect(await client.unary(inference.modelReady, request)).toMatchObject({ ready: false });
    }
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
      input: [{ name: 's', dataType: DataType.TYPE_STRING, dims: [], optional: true }],
      output: [{ name: 'y', dataType: DataType.TYPE_FP32, dims: [4n] }],
      versionPolicy: { policyChoice: { case: 'latest', value: { numVersions: 1 } } },
      instanceGroup: [{ name: 'strings', kind: ModelInstanceGroup_Kind.CPU, count: 1 }],
      defaultModelFilename: 'strings.onnx',
    });
  });

  it('lists the same extensions as HTTP, but for those that only HTTP has', async () => {
    const { extensions } = await client.unary(inference.serverMetadata, {});
    expect(extensions).toEqual([
      'classification',
      'logging',
      'model_configuration',
      'model_repository',
      'schedule_policy',
      'statistics',
    ]);
  });

  it('tells of everything that a configuration may say', async () => {
    const own = await serveFake([]);
    const config = readModelConfig(WHOLE_CONFIG, 'config.pbtxt').config;
    own.registry.add({ ...served({ name: 'c' }), config });
    const asking = connect(own.port);
    const answer = await asking.unary(inference.modelConfig, { name: 'c', version: '1' });
    asking.close();
    await own.close();
    expect(answer.config).toMatchObject({
      maxBatchSize: 8,
      versionPolicy: { policyChoice: { case: 'specific', value: { versions: [1n, 9007199254740991n] } } },
      schedulingChoice: {
        case: 'dynamicBatching',
        value: {
          preferredBatchSize: [4, 8],
          maxQueueDelayMicroseconds: 100n,
          priorityQueuePolicy: { 1: { timeoutAction: ModelQueuePolicy_TimeoutAction.DELAY } },
        },
      },
      instanceGroup: [{ kind: ModelInstanceGroup_Kind.CPU, count: 2, gpus: [] }],
      parameters: { a: { stringValue: 'b' } },
      ccModelFilenames: { '7.5': 'm' },
      modelWarmup: [{ inputs: { x: { dims: [4n], inputDataType: { case: 'zeroData', value: true } } } }],
      responseCache: { enable: true },
    });
  });

  it('counts what was asked, by model, version and rows', async () => {
    const own = await serveFake([{ name: 'm' }, { name: 'm', version: '3' }, { name: 'other' }]);
    const asking = connect(own.port);
    const stats = async (request: { name?: string; version?: string }) =>
      (await asking.unary(inference.modelStatistics, request)).modelStats;
    const [unasked] = await stats({ name: 'other' });
    expect(unasked?.responseStats).toEqual({});
    expect(unasked).toMatchObject({
      inferenceCount: 0n,
      lastInference: 0n,
      batchStats: [],
    });
    for (const rows of [1, 2]) {
      await asking.unary(inference.modelInfer, {
        modelName: 'm',
        modelVersion: '1',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 4n] }],
        rawInputContents: [new Uint8Array(16 * rows)],
      });
    }
    const told = async (request: { name?: string; version?: string }) =>
      (await stats(request)).map(({ name, version }) => `${name} ${version}`);
    expect(await told({})).toEqual(['m 1', 'm 3', 'other 1']);
    expect(await told({ name: 'm' })).toEqual(['m 1', 'm 3']);
    const [stat] = await stats({ name: 'm', version: '1' });
    await expect(stats({ name: 'none' })).rejects.toMatchObject({ code: status.NOT_FOUND });
    asking.close();
    await own.close();
    const [two, none] = [{ count: 2n }, { count: 0n, ns: 0n }];
    expect(stat).toMatchObject({
      ...{ name: 'm', version: '1', inferenceCount: 3n, executionCount: 2n },
      inferenceStats: {
        ...{ success: two, fail: none, queue: two, cacheHit: none, cacheMiss: none },
        ...{ computeInput: two, computeInfer: two, computeOutput: two },
      },
      responseStats: {
        0: {
          computeInfer: two,
          computeOutput: two,
          success: two,
          fail: none,
          emptyResponse: none,
          cancel: none,
        },
      },
      batchStats: [
        {
          batchSize: 1n,
          computeInput: { count: 1n },
          computeInfer: { count: 1n },
          computeOutput: { count: 1n },
        },
        {
          batchSize: 2n,
          computeInput: { count: 1n },
          computeInfer: { count: 1n },
          computeOutput: { count: 1n },
        },
      ],
    });
    expect(stat?.inferenceStats?.success?.ns).toBeGreaterThan(0n);
    expect(stat?.lastInference).toBeGreaterThan(1_600_000_000_000n);
  });

  it('counts on beyond the numbers that JavaScript counts exactly', async () => {
    const own = await serveFake([]);
    const model = served({ name: 'm' });
    const recorder = createStatistics(systemClock, ROWS_OF_FOUR);
    const long = { count: 2, ns: 2 ** 60 };
    const statistics = { ...recorder.read(), success: long };
    own.registry.statistics = () => [{ served: model, statistics }];
    const asking = connect(own.port);
    const { modelStats } = await asking.unary(inference.modelStatistics, {});
    asking.close();
    await own.close();
    expect(modelStats[0]?.inferenceStats?.success).toMatchObject({ count: 2n, ns: 2n ** 60n });
  });

  it('lists what is in the repository, whole or what is ready of it', async () => {
    const index = async (ready: boolean) =>
      (await client.unary(inference.repositoryIndex, { ready })).models.filter(({ name }) =>
        ['m', 'broken'].includes(name),
      );
    const ready = [
      { name: 'm', version: '1', state: 'READY', reason: '' },
      { name: 'm', version: '3', state: 'READY', reason: '' },
    ];
    expect(await index(true)).toMatchObject(ready);
    expect(await index(false)).toMatchObject([
      { name: 'broken', version: '', state: 'UNAVAILABLE', reason: 'not loaded' },
      ...ready,
    ]);
    await expect(client.unary(inference.repositoryIndex, { repositoryName: 'r' })).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  it('loads and unloads models, with a configuration and files', async () => {
    const own = await serveFake([]);
    const asking = connect(own.port);
    const { repositoryModelLoad: load, repositoryModelUnload: unload } = inference;
    const text = (value: string) => ({ parameterChoice: { case: 'stringParam' as const, value } });
    const bytes = (value: Uint8Array) => ({ parameterChoice: { case: 'bytesParam' as const, value } });
    const flag = (value: boolean) => ({ parameterChoice: { case: 'boolParam' as const, value } });
    const refused = (parameters: Record<string, ReturnType<typeof text | typeof bytes | typeof flag>>) =>
      expect(asking.unary(load, { modelName: 'm', parameters })).rejects;

    await asking.unary(load, { modelName: 'm' });
    const file = Uint8Array.of(0, 1, 2, 255);
    await asking.unary(load, {
      modelName: 'm',
      parameters: {
        config: text('{}'),
        'file:1/model.onnx': bytes(file),
        'file:a': bytes(new Uint8Array(0)),
      },
    });
    await asking.unary(unload, { modelName: 'm' });
    await asking.unary(unload, { modelName: 'a/b', parameters: { unload_dependents: flag(true) } });
    const asked = [
      ['load', 'm', {}],
      [
        'load',
        'm',
        {
          config: '{}',
          files: new Map([
            ['1/model.onnx', file],
            ['a', new Uint8Array(0)],
          ]),
        },
      ],
      ['unload', 'm', { unloadDependents: false }],
      ['unload', 'a/b', { unloadDependents: true }],
    ];
    expect(own.control.asked).toEqual(asked);

    const invalid = (details: string) => ({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(details),
    });
    await refused({ config: bytes(file) }).toMatchObject(
      invalid('parameters.config: expected a model configuration as JSON in a string, got bytes'),
    );
    await refused({ 'file:1/m.onnx': text('AAEC') }).toMatchObject(
      invalid('parameters.file:1/m.onnx: expected the bytes of a file in bytes_param, got AAEC'),
    );
    await refused({ speed: flag(true) }).toMatchObject(
      invalid('parameters.speed: expected config or file:<path>'),
    );
    await expect(
      asking.unary(unload, { modelName: 'm', parameters: { unload_dependents: text('yes') } }),
    ).rejects.toMatchObject(invalid('parameters.unload_dependents: expected true or false, got yes'));
    for (const method of [load, unload]) {
      await expect(asking.unary(method, { modelName: 'm', repositoryName: 'r' })).rejects.toMatchObject({
        code: status.UNIMPLEMENTED,
      });
    }
    expect(own.control.asked).toEqual(asked);

    own.control.load = async () => {
      throw new NimifyError('MODEL_NOT_FOUND', 'no model to load');
    };
    await refused({}).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining('no model') });
    asking.close();
    await own.close();
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
  ])('refuses with a reason what is not offered: $name', async (method, reason) => {
    await expect(client.unary(method, {})).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining(reason),
    });
  });
});
