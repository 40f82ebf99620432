/**
 * Whatever a gRPC client sends that is wrong is refused with a code that says so, never with a fault of the server; the
 * next good request is answered. Where HTTP can be sent the same, both have the same code of ours.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GRPCInferenceService } from '../../src/protocol/grpc/generated/inference/service_pb.ts';
import { pathOf } from '../../src/protocol/grpc/methods.ts';
import { createServer, type RunningServer, type ServerOptions } from '../../src/server.ts';
import { connect, type ReferenceClient } from '../support/grpc-client.ts';
import { DIGITS, IRIS, modelRepository } from '../support/model-repository.ts';
import { packed, protobuf } from '../support/protobuf.ts';
import { BAD_REQUESTS, type BadRequest, RAW, TENSOR, TYPED } from './bad-requests.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const LANGID = join(import.meta.dirname, '../../examples/demo/langid/model.onnx');
const MAX_BODY_BYTES = 1024 * 1024;

const { method } = GRPCInferenceService;
/** The same in protobuf's own terms, for what no generated code would write. */
const WIRE_TENSOR = { 1: 'X', 2: 'FP32', 3: packed(1, 4) };
const NO_UTF8 = Uint8Array.of(0x61, 0xff, 0xfe);

const { INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED } = status;

describe('bad input over gRPC', () => {
  const repository = modelRepository();
  let server: RunningServer;
  let client: ReferenceClient;

  async function start(options: Partial<ServerOptions> = {}): Promise<void> {
    server = await createServer({
      ...{ models: [repository.path], httpPort: 0, grpcPort: 0, metricsPort: false },
      ...{
        repository: { mode: 'explicit', load: ['iris', 'langid'] },
        http: { maxBodyBytes: MAX_BODY_BYTES },
      },
      ...options,
    });
    client = connect(Number(server.grpcAddress?.split(':').at(-1)));
  }

  beforeEach(() => {
    repository.copy(IRIS, 'iris/1/model.onnx');
    repository.copy(LANGID, 'langid/1/model.onnx');
  });

  afterEach(async () => {
    client?.close();
    await server?.close({ graceMs: 0 });
  });

  /** What a call of bytes is refused with. */
  function refusalOf(
    bytes: Uint8Array,
    called: typeof method.modelInfer = method.modelInfer,
  ): Promise<ServiceError> {
    return new Promise((resolve, reject) => {
      client.client.makeUnaryRequest(
        pathOf(called),
        (given: Uint8Array) => Buffer.from(given),
        (answer) => answer,
        bytes,
        new Metadata(),
        (failed) => (failed === null ? reject(new Error('it was answered')) : resolve(failed)),
      );
    });
  }

  async function refused(asked: Promise<unknown>): Promise<ServiceError> {
    return asked.then(
      () => Promise.reject(new Error('it was answered')),
      (failed: ServiceError) => failed,
    );
  }

  async function answersOthers(): Promise<void> {
    expect(await client.unary(method.modelInfer, { modelName: 'iris', inputs: [TYPED] })).toMatchObject({
      outputs: [{ name: 'label' }, { name: 'probabilities' }],
    });
  }

  it('of every kind that a request to infer may have is INVALID_ARGUMENT, with the place; as over HTTP', async () => {
    await start();
    for (const [what, { grpc, http, words }] of Object.entries(BAD_REQUESTS)) {
      const failed = await refused(client.unary(method.modelInfer, { modelName: 'iris', ...grpc }));
      expect(failed, what).toMatchObject({ code: INVALID_ARGUMENT, details: expect.stringContaining(words) });
      expect(failed.metadata.get('nimify-code'), what).toEqual(['INVALID_INPUT']);
      if (http === undefined) continue;
      const response = await fetch(`${server.url}/v2/models/iris/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(http),
      });
      expect(await response.json(), what).toMatchObject({
        code: 'INVALID_INPUT',
        error: expect.stringContaining(words),
      });
    }
    await answersOthers();
  });

  it('in a stream is answered within it, and what comes behind is answered too', async () => {
    await start();
    const stream = client.stream(method.modelStreamInfer);
    for (const { grpc } of Object.values(BAD_REQUESTS)) {
      stream.send({ modelName: 'iris', id: 'bad', ...grpc });
      stream.send({ modelName: 'iris', id: 'good', inputs: [TYPED] });
    }
    stream.call.end();
    for (const [what, { words }] of Object.entries(BAD_REQUESTS)) {
      expect(await stream.next(), what).toMatchObject({
        errorMessage: expect.stringContaining(words),
        inferResponse: { id: 'bad' },
      });
      expect(await stream.next(), what).toMatchObject({ errorMessage: '', inferResponse: { id: 'good' } });
    }
    expect(await stream.status).toMatchObject({ code: status.OK });
  });

  it('in texts: no UTF-8, a zero byte, a length that reaches beyond', async () => {
    await start();
    const text = { name: 'text', datatype: 'BYTES', shape: [1n] };
    const typed = (element: Uint8Array) => ({
      inputs: [{ ...text, contents: { bytesContents: [element] } }],
    });
    const raw = (content: Uint8Array) => ({ inputs: [text], rawInputContents: [content] });
    const lengthOnly = Uint8Array.of(255, 255, 255, 255, 97);
    for (const [request, words] of [
      [typed(NO_UTF8), 'element 0'],
      [typed(Uint8Array.of(97, 0, 98)), 'element 0'],
      [raw(Uint8Array.of(3, 0, 0, 0, ...NO_UTF8)), 'element 0'],
      [raw(lengthOnly), 'raw_input_contents[0]'],
      [raw(Uint8Array.of(1, 0)), 'raw_input_contents[0]'],
      [raw(Uint8Array.of(1, 0, 0, 0, 97, 1, 0, 0, 0, 98)), 'raw_input_contents[0]'],
    ] as const) {
      const asked: BadRequest['grpc'] = { modelName: 'langid', ...request };
      const failed = await refused(client.unary(method.modelInfer, asked));
      expect(failed).toMatchObject({ code: INVALID_ARGUMENT, details: expect.stringContaining(words) });
    }
    await answersOthers();
  });

  it('that no client library would write', async () => {
    await start();
    /** Groups within groups, which readers by recursion do not survive. */
    const deep = Buffer.concat([Buffer.alloc(100_000, (99 << 3) | 3), Buffer.alloc(100_000, (99 << 3) | 4)]);
    const input = { ...WIRE_TENSOR, 5: { 6: RAW } };
    const wire: Readonly<Record<string, readonly [bytes: Uint8Array, words: string]>> = {
      'no protobuf': [Buffer.alloc(64, 0xff), 'message: expected'],
      'a length that reaches beyond': [Uint8Array.of(10, 127, 97), 'ends within a field'],
      'a length of 2^63': [Uint8Array.of(10, ...Array(8).fill(255), 127), 'model_name: expected'],
      'a name that is no text': [protobuf({ 1: NO_UTF8, 5: input }), 'model_name: expected text in UTF-8'],
      'an id that is no text': [protobuf({ 1: 'iris', 3: NO_UTF8, 5: input }), 'id: expected text in UTF-8'],
      "an input's name that is no text": [protobuf({ 1: 'iris', 5: { ...input, 1: NO_UTF8 } }), 'inputs[0]'],
      "a parameter's name that is no text": [
        protobuf({ 1: 'iris', 4: { 1: NO_UTF8, 2: { 2: 1 } }, 5: input }),
        'parameters: expected text in UTF-8',
      ],
      'inputs as a number': [protobuf({ 1: 'iris', 5: 7 }), "input 'X'"],
      'a shape as text': [protobuf({ 1: 'iris', 5: { ...input, 3: 'four' } }), 'inputs[0].contents'],
      'floats that are cut': [
        protobuf({ 1: 'iris', 5: { ...input, 5: { 6: RAW.subarray(0, 15) } } }),
        'inputs[0].contents.fp32_contents',
      ],
      'groups within groups': [Buffer.concat([protobuf({ 1: 'iris' }), deep]), 'wire type 3'],
      'a hundred thousand inputs': [protobuf({ 1: 'iris', 5: Array(100_000).fill({ 1: 'X' }) }), '16384'],
      'a hundred thousand parameters': [protobuf({ 1: 'iris', 4: Array(100_000).fill({ 1: 'a' }) }), '16384'],
    };
    for (const [what, [bytes, words]] of Object.entries(wire)) {
      const failed = await refusalOf(bytes);
      expect(failed.code, `${what}: ${failed.details}`).toBe(INVALID_ARGUMENT);
      expect(failed.details, what).toContain(words);
    }
    await answersOthers();
  });

  it('in names: paths are names that nobody has, and no other method takes them for more', async () => {
    await start();
    for (const name of ['../iris', '/etc/passwd', '..', '', 'iris/1', 'iris\0', 'x'.repeat(100_000)]) {
      for (const asked of [
        client.unary(method.modelInfer, { modelName: name, inputs: [TYPED] }),
        client.unary(method.modelMetadata, { name }),
        client.unary(method.modelConfig, { name }),
      ]) {
        const { code, details } = await refused(asked);
        expect(code).toBe(NOT_FOUND);
        expect(details.length).toBeLessThan(2100);
      }
      expect(await client.unary(method.modelReady, { name })).toMatchObject({ ready: false });
    }
    for (const version of ['../1', '-1', '1.0', 'x'.repeat(100_000)]) {
      const asked = client.unary(method.modelInfer, {
        modelName: 'iris',
        modelVersion: version,
        inputs: [TYPED],
      });
      expect((await refused(asked)).code).toBe(NOT_FOUND);
    }
    await answersOthers();
  });

  it('over the limit is refused, whole, compressed and in a stream', async () => {
    await start();
    const large = {
      modelName: 'iris',
      inputs: [TENSOR],
      rawInputContents: [new Uint8Array(MAX_BODY_BYTES + 1)],
    };
    expect(await refused(client.unary(method.modelInfer, large))).toMatchObject({ code: RESOURCE_EXHAUSTED });
    const gzip = connect(Number(server.grpcAddress?.split(':').at(-1)), {
      'grpc.default_compression_algorithm': 2,
    });
    expect(await refused(gzip.unary(method.modelInfer, large))).toMatchObject({ code: RESOURCE_EXHAUSTED });
    gzip.close();
    const stream = client.stream(method.modelStreamInfer);
    stream.send(large);
    stream.call.end();
    expect(await stream.status).toMatchObject({ code: RESOURCE_EXHAUSTED });
    await answersOthers();
  });

  it.each([
    ['not_a_model.onnx', INVALID_ARGUMENT, /not an ONNX model|not a model/i],
    ['lfs_pointer.onnx', INVALID_ARGUMENT, /Git LFS/i],
    ['truncated.onnx', INVALID_ARGUMENT, /cut short/i],
    ['future_opset.onnx', UNIMPLEMENTED, /opset/i],
    ['future_ir.onnx', UNIMPLEMENTED, /IR/],
    ['custom_op.onnx', UNIMPLEMENTED, /operator/i],
    ['external_missing.onnx', UNIMPLEMENTED, /external|missing/i],
    ['external_escape.onnx', UNIMPLEMENTED, /outside|folder/i],
    ['int4_output.onnx', UNIMPLEMENTED, /int4/i],
    ['zipmap_only.onnx', UNIMPLEMENTED, /tensor/i],
    ['sequence_input.onnx', UNIMPLEMENTED, /tensor|sequence/i],
  ])('in files: %s is not loaded, from the repository or from the request', async (file, code, words) => {
    const bytes = readFileSync(join(FIXTURES, file));
    repository.write('bad/1/model.onnx', bytes);
    await start();
    const parameters = {
      config: { parameterChoice: { case: 'stringParam' as const, value: '{"backend": "onnxruntime"}' } },
      'file:1/model.onnx': { parameterChoice: { case: 'bytesParam' as const, value: bytes } },
    };
    for (const request of [{ modelName: 'bad' }, { modelName: 'bad', parameters }]) {
      const failed = await refused(client.unary(method.repositoryModelLoad, request));
      expect(failed.details).toMatch(words);
      expect(failed.details).toContain("failed to load 'bad'");
      expect(failed.code).toBe(code);
    }
    expect(await client.unary(method.repositoryIndex, {})).toMatchObject({
      models: [
        { name: 'bad', version: '1', state: 'UNAVAILABLE', reason: expect.stringMatching(words) },
        { name: 'iris', state: 'READY' },
        { name: 'langid', state: 'READY' },
      ],
    });
    await answersOthers();
  });

  it('in configurations: the line and column of a syntax error, and both shapes where they contradict', async () => {
    repository.copy(DIGITS, 'broken/1/model.onnx');
    repository.write('broken/config.pbtxt', 'max_batch_size: 8\ninput [ { name: "image" dims [ 1 ] ]\n');
    repository.copy(DIGITS, 'contradicting/1/model.onnx');
    repository.write(
      'contradicting/config.pbtxt',
      'max_batch_size: 8\ninput [{ name: "image" data_type: TYPE_FP32 dims: [1, 9, 8] }]\n',
    );
    await start();
    for (const [modelName, code, words] of [
      ['broken', INVALID_ARGUMENT, /config\.pbtxt:2:\d+: /],
      ['contradicting', UNIMPLEMENTED, /config\.pbtxt:2:\d+: input\[0\]\.dims: \[-1,1,9,8\].*\[N,1,8,8\]/],
    ] as const) {
      const failed = await refused(client.unary(method.repositoryModelLoad, { modelName }));
      expect(failed.details).toMatch(words);
      expect(failed.code).toBe(code);
    }
    const json = {
      parameterChoice: { case: 'stringParam' as const, value: '{"max_batch_size": 8,\n "input": [}' },
    };
    const request = { modelName: 'iris', parameters: { config: json } };
    const failed = await refused(client.unary(method.repositoryModelLoad, request));
    expect(failed).toMatchObject({
      code: INVALID_ARGUMENT,
      details: expect.stringContaining(
        "failed to load 'iris': config of 'iris': expected a model configuration as JSON",
      ),
    });
    await answersOthers();
  });
});
