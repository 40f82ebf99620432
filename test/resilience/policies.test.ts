/** What stands between a request and an engine that fails, in a server of the command line, over HTTP and gRPC. */
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GRPCInferenceService } from '../../src/protocol/grpc/generated/inference/service_pb.ts';
import { describeWith } from '../require.ts';
import { connect, type ReferenceClient } from '../support/grpc-client.ts';
import { type Running, startNimify } from '../support/nimify.ts';

const FLAKY = join(import.meta.dirname, 'fixtures/flaky.py');

const CONFIG = `models:
  - {path: ${FLAKY}, name: lone, breaker: {minCalls: 4, calls: 4, openMs: 60000, maxOpenMs: 60000}}
  - {path: ${FLAKY}, name: pair, engine: {instances: 2}}
  - {path: ${FLAKY}, name: main, fallback: [{model: spare}, {constant: {output: [nobody]}}]}
  - {path: ${FLAKY}, name: spare}
  - {path: ${FLAKY}, name: narrow, bulkhead: {maxConcurrent: 1}}
`;

const { modelInfer, modelStreamInfer } = GRPCInferenceService.method;

describeWith(['python'], 'policies of served models', () => {
  let folder: string;
  let server: Running;
  let url: string;
  let metricsUrl: string;
  let client: ReferenceClient;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nimify-resilience-'));
    const config = join(folder, 'nimify.yaml');
    writeFileSync(config, CONFIG);
    const ports = ['--http-port', '0', '--metrics-port', '0', '--grpc-port', '0'];
    server = startNimify(['serve', '--config', config, ...ports]);
    [, url = ''] = await server.printed(/at (http:\S+)/);
    metricsUrl = `${url}/v1/metrics`;
    const [, port] = await server.printed(/grpc +127\.0\.0\.1:(\d+)/);
    client = connect(Number(port));
  });

  afterAll(async () => {
    client?.close();
    server?.process.kill('SIGTERM');
    await server?.finished;
    await rm(folder, { recursive: true, force: true });
  });

  const path = (name: string) => join(folder, name);
  const ask = (model: string, what: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/v2/models/${model}/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ inputs: [{ name: 'what', datatype: 'BYTES', shape: [1], data: [what] }] }),
    });
  const answerOf = async (response: Response) => {
    const { outputs, code } = (await response.json()) as { outputs?: { data: string[] }[]; code?: string };
    return outputs?.[0]?.data[0] ?? code;
  };
  const request = (model: string, what: string) => ({
    modelName: model,
    inputs: [
      {
        name: 'what',
        datatype: 'BYTES',
        shape: [1n],
        contents: { bytesContents: [new TextEncoder().encode(what)] },
      },
    ],
  });
  const breaker = (model: string, action?: string) =>
    fetch(`${url}/admin/models/${model}/breaker`, {
      ...(action === undefined
        ? {}
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ action }),
          }),
    }).then(async (response) => ({ status: response.status, body: await response.json() }));
  const metrics = async () => (await fetch(metricsUrl)).text();

  it('try a request again whose process crashed under it', async () => {
    const response = await ask('lone', `crash-once:${path('first')}`);
    expect(response.status).toBe(200);
    expect(await answerOf(response)).toContain('CRASH-ONCE');
    expect(await metrics()).toContain('nimify_retries_total{model="lone",version="1"} 1');
  });

  it('leave a model alone that fails, with the same code over HTTP and gRPC, until somebody resets its breaker', async () => {
    await breaker('lone', 'reset');
    writeFileSync(path('broken'), '');
    const isClosed = async () => ((await breaker('lone')).body as { state: string }).state === 'closed';
    // Self-tests that are answered meanwhile are among the calls that it looks at, and may open it before the fourth.
    for (let call = 0; call < 4 && (await isClosed()); call++) {
      await ask('lone', `raise-while:${path('broken')}`);
    }
    expect((await breaker('lone')).body).toMatchObject({ model: 'lone', state: 'open', forced: false });
    const refused = await ask('lone', 'a');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(30);
    expect(await answerOf(refused)).toBe('CIRCUIT_OPEN');
    const failure: ServiceError = await client
      .unary(modelInfer, request('lone', 'a'))
      .then(() => expect.unreachable())
      .catch((error) => error);
    expect(failure.code).toBe(14);
    expect(failure.metadata.get('nimify-code')).toEqual(['CIRCUIT_OPEN']);
    const counted = await metrics();
    expect(counted).toContain('nimify_breaker_state{model="lone",version="1",state="open"} 1');
    expect(counted).toContain('nimify_breaker_refusals_total{model="lone",version="1"} 2');

    rmSync(path('broken'));
    expect((await breaker('lone', 'reset')).body).toMatchObject({ state: 'closed', calls: 0 });
    expect(await answerOf(await ask('lone', 'a'))).toBe('A');
  });

  it('have another model answer, and say so', async () => {
    const own = await ask('main', 'a');
    expect(own.headers.get('x-nimify-fallback')).toBeNull();
    await breaker('main', 'open');
    const response = await ask('main', 'a');
    expect(response.status).toBe(200);
    expect(response.headers.get('x-nimify-fallback')).toBe('spare');
    expect(await response.json()).toMatchObject({ model_name: 'main', outputs: [{ data: ['A'] }] });
    const plain = await fetch(`${url}/v1/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'main', what: ['a'] }),
    });
    expect(plain.headers.get('x-nimify-fallback')).toBe('spare');

    await breaker('spare', 'open');
    expect((await ask('main', 'a')).headers.get('x-nimify-fallback')).toBe('constant');
    const head = new Promise<Metadata>((resolve) => {
      const call = client.client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        () => Buffer.from(toBinary(modelInfer.input, create(modelInfer.input, request('main', 'a')))),
        (bytes: Buffer) => bytes,
        {},
        () => {},
      );
      call.on('metadata', resolve);
    });
    expect((await head).get('x-nimify-fallback')).toEqual(['constant']);
    const stream = client.stream(modelStreamInfer);
    stream.send(request('main', 'a'));
    const { inferResponse } = (await stream.next())!;
    expect(inferResponse?.parameters.nimify_fallback?.parameterChoice.value).toBe('constant');
    stream.call.end();
    expect(await metrics()).toContain('nimify_fallbacks_total{model="main",version="1",rung="constant"} 3');
    await breaker('main', 'reset');
    await breaker('spare', 'reset');
  });

  it('share the requests of a model out to its instances, and lose none where one dies', async () => {
    const pids = async () =>
      new Set(await Promise.all(Array.from({ length: 8 }, async () => answerOf(await ask('pair', 'pid')))));
    const before = [...(await pids())];
    expect(before).toHaveLength(2);
    const answers = Array.from({ length: 40 }, async (_, index) => {
      if (index === 10) process.kill(Number(before[0]), 'SIGKILL');
      return (await ask('pair', `${index}`)).status;
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
  });

  it('refuse what is more than a bulkhead lets in, and other models not', async () => {
    const first = ask('narrow', 'nap');
    const others = await Promise.all(Array.from({ length: 4 }, () => ask('narrow', 'nap')));
    expect(
      others
        .map(({ status }) => status)
        .sort()
        .at(-1),
    ).toBe(429);
    expect((await ask('pair', 'a')).status).toBe(200);
    await first;
    expect(await metrics()).toMatch(
      /nimify_admission_refusals_total\{model="narrow",.*criticality="default"\} [1-4]/,
    );
  });

  it('say what is wrong with a change of a breaker', async () => {
    expect(await breaker('pair', 'melt')).toMatchObject({ status: 400, body: { code: 'INVALID_INPUT' } });
    expect(await breaker('nobody')).toMatchObject({ status: 404, body: { code: 'MODEL_NOT_FOUND' } });
  });
});
