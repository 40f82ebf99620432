/** `nimify/client` against a real server, over both transports. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BytesData,
  type Client,
  createClient,
  floatToHalf,
  toStrings,
} from '../../src/client/client.ts';
import { createServer, type RunningServer } from '../../src/server.ts';
import { identityModel } from '../support/identity-model.ts';

const IRIS = fileURLToPath(new URL('../../examples/demo/iris/model.onnx', import.meta.url));
const CHURN = fileURLToPath(new URL('../../examples/demo/churn/model.onnx', import.meta.url));
/** Takes one number, and tens of milliseconds. */
const SLOW = fileURLToPath(new URL('../fixtures/slow.onnx', import.meta.url));

const MIXED = identityModel(
  { input: 'half', output: 'half_out', datatype: 'FP16', shape: ['N', 2] },
  { input: 'text', output: 'text_out', datatype: 'BYTES', shape: ['M'] },
  { input: 'long', output: 'long_out', datatype: 'INT64', shape: [] },
  { input: 'flag', output: 'flag_out', datatype: 'BOOL', shape: ['K'] },
);
const IMAGE = identityModel({ input: 'image', output: 'same', datatype: 'FP32', shape: ['N', 3, 224, 224] });

const folder = mkdtempSync(join(tmpdir(), 'nimify-client-'));
let server: RunningServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'mixed'));
  writeFileSync(join(folder, 'mixed.onnx'), MIXED);
  writeFileSync(join(folder, 'image.onnx'), IMAGE);
  server = await createServer({
    models: [
      { path: IRIS, name: 'iris' },
      { path: CHURN, name: 'churn' },
      { path: SLOW, name: 'slow' },
      { path: join(folder, 'mixed.onnx'), name: 'mixed' },
      { path: join(folder, 'image.onnx'), name: 'image' },
    ],
    httpPort: 0,
    grpcPort: 0,
    metricsPort: false,
    engine: { instances: 1, intraOpThreads: 1 },
  });
});

afterAll(async () => {
  await server?.close({ graceMs: 0 });
  rmSync(folder, { recursive: true });
});

describe.each(['http', 'grpc'])('a client over %s', (scheme) => {
  let client: Client;

  beforeAll(() => {
    client = createClient({ url: scheme === 'http' ? server.url : `grpc://${server.grpcAddress}` });
  });

  afterAll(() => client?.close());

  it('asks how the server is, and what it is', async () => {
    expect(await client.live()).toBe(true);
    expect(await client.ready()).toBe(true);
    expect(await client.modelReady('iris')).toBe(true);
    expect(await client.modelReady('iris', '1')).toBe(true);
    expect(await client.modelReady('nobody')).toBe(false);
    expect(await client.serverMetadata()).toMatchObject({
      name: 'nimify',
      extensions: expect.arrayContaining(['statistics']),
    });
    expect(await client.modelMetadata('iris')).toMatchObject({
      name: 'iris',
      versions: ['1'],
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'label', datatype: 'INT64', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 3] },
      ],
    });
    await expect(client.modelMetadata('iris', '7')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });

  it('infers, and gets only the outputs that it asks for', async () => {
    const data = Float32Array.of(5.1, 3.5, 1.4, 0.2, 6.9, 3.1, 5.4, 2.1);
    const answer = await client.infer({
      model: 'iris',
      version: '1',
      id: 'one',
      inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 4], data }],
      outputs: ['label'],
    });
    expect(answer).toMatchObject({ model: 'iris', version: '1', id: 'one' });
    expect(answer.outputs).toEqual([
      { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(0n, 2n) },
    ]);
  });

  it('sends strings, and gets strings', async () => {
    const answer = await client.infer({
      model: 'churn',
      inputs: [
        { name: 'plan', datatype: 'BYTES', shape: [1, 1], data: ['basic'] },
        { name: 'region', datatype: 'BYTES', shape: [1, 1], data: ['north'] },
        { name: 'usage_hours', datatype: 'FP32', shape: [1, 1], data: Float32Array.of(3) },
        { name: 'tenure_months', datatype: 'INT64', shape: [1, 1], data: BigInt64Array.of(2n) },
      ],
    });
    const label = answer.outputs.find(({ name }) => name === 'label');
    expect(toStrings(label?.data as BytesData)[0]).toMatch(/^(stay|churn)$/);
  });

  it('carries every kind of element unchanged: half precision, text, 64 bits, scalars, nothing', async () => {
    const inputs = [
      {
        name: 'half',
        datatype: 'FP16',
        shape: [1, 2],
        data: Uint16Array.of(floatToHalf(0.1), 0x7e01),
      },
      {
        name: 'text',
        datatype: 'BYTES',
        shape: [3],
        data: ['Où', '', new TextEncoder().encode('\u{1F331}')],
      },
      { name: 'long', datatype: 'INT64', shape: [], data: BigInt64Array.of(2n ** 62n + 1n) },
      { name: 'flag', datatype: 'BOOL', shape: [0], data: new Uint8Array(0) },
    ] as const;
    const { outputs } = await client.infer({ model: 'mixed', inputs });
    expect(outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['half_out', [1, 2]],
      ['text_out', [3]],
      ['long_out', []],
      ['flag_out', [0]],
    ]);
    const [half, text, long, flag] = outputs.map(({ data }) => data);
    expect([half, long, flag]).toEqual([inputs[0].data, inputs[2].data, inputs[3].data]);
    const { bytes, offsets } = text as BytesData;
    expect(Buffer.from(bytes)).toEqual(Buffer.from('Où\u{1F331}'));
    expect([...offsets]).toEqual([0, 3, 3, 7]);
  });

  it('carries 602 KB there and back, many side by side, each into memory of its own', async () => {
    const count = 3 * 224 * 224;
    const answers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const data = Float32Array.from({ length: count }, (_unused, at) => at / 7 + index);
        const input = { name: 'image', datatype: 'FP32', shape: [1, 3, 224, 224], data } as const;
        const { outputs } = await client.infer({ model: 'image', inputs: [input] });
        return { sent: data, got: outputs[0]?.data as Float32Array };
      }),
    );
    for (const { sent, got } of answers) expect(Buffer.compare(bytesOf(sent), bytesOf(got))).toBe(0);
    expect(new Set(answers.map(({ got }) => got.buffer)).size).toBe(answers.length);
  });

  it("tells the server's own errors", async () => {
    const call = (name: string, shape: readonly number[]) =>
      client.infer({
        model: 'iris',
        inputs: [{ name, datatype: 'FP32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }],
      });
    await expect(call('X', [1, 5])).rejects.toMatchObject({
      name: 'NimifyError',
      code: 'INVALID_INPUT',
      message: expect.stringContaining('inputs[0].shape'),
    });
    await expect(call('Y', [1, 4])).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(client.infer({ model: 'nobody', inputs: [] })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
  });

  it('gives up at the deadline, of which the server knows too', async () => {
    const running = askSlow(20);
    await inFlight(20);
    // Behind the others its time would be over before its turn: where the server says so beforehand, it is asked again.
    const input = { name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(1) } as const;
    const call = client.infer({ model: 'slow', inputs: [input], timeoutMs: 40 });
    const failure = await call.catch((error: unknown) => error);
    running.abort.abort();
    await Promise.allSettled(running.answers);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^(DEADLINE_EXCEEDED|OVERLOADED)$/) });
  });

  it('gives its place away when the caller wants no answer any more: nothing that was cancelled in the queue runs', async () => {
    const before = statistics();
    const { abort, answers } = askSlow(30);
    await inFlight(30);
    abort.abort();
    const settled = await Promise.allSettled(answers);
    const answered = settled.filter(({ status }) => status === 'fulfilled').length;
    for (const one of settled) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CANCELLED' });
    }
    await expect.poll(() => requestsInFlight()).toBe(0);
    // One more may have been in the engine, which cannot stop.
    const after = statistics();
    expect(after.executions - before.executions).toBeLessThanOrEqual(answered + 2);
    expect(after.fails - before.fails).toBeGreaterThan(0);
    const [one] = askSlow(1).answers;
    expect((await one)?.outputs).toHaveLength(1);
  });

  function askSlow(count: number) {
    const abort = new AbortController();
    const input = { name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(2.5) } as const;
    const answers = Array.from({ length: count }, () =>
      client.infer({ model: 'slow', inputs: [input], signal: abort.signal }),
    );
    for (const answer of answers) answer.catch(() => {});
    return { abort, answers };
  }
});

function statistics() {
  const [one] = server.registry.statistics('slow', '1');
  return { executions: one?.statistics.executionCount ?? 0, fails: one?.statistics.fail.count ?? 0 };
}

async function requestsInFlight(): Promise<number> {
  const metrics = await (await fetch(`${server.url}/v1/metrics`)).text();
  return Number(/^nimify_requests_in_flight (\d+)/m.exec(metrics)?.[1]);
}

async function inFlight(atLeast: number): Promise<void> {
  await expect.poll(requestsInFlight).toBeGreaterThan(atLeast / 2);
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
