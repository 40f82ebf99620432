import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { connectRaw, framed } from '../../src/protocol/grpc/raw-client.ts';
import { openRaw, rawRequest } from '../../src/protocol/http/raw-client.ts';
import { packed, protobuf } from '../support/protobuf.ts';
import { type ChildServer, childServer } from './child-server.ts';
import { ADD, askIris, IRIS, OF_SHAPE, zerosBody } from './models.ts';

const MIB = 2 ** 20;
const CEILING_MIB = 300;
/** What is made of requests between two looks, and garbage that was not collected. */
const SLACK_MIB = 32;
const CLIENTS = 200;
const WAVES = 2;
/** Nobody is to be refused for being slow, which all are together. */
const PATIENCE = { receiveTimeoutMs: 60_000, defaultTimeoutMs: 60_000 };
const ANSWER_MIB = 32;
/** For runs of a model at once. */
const PLACES = 2;

/** Adds 0 to 2 Mi numbers: 8 MiB in, and as much out. */
const COUNT = 2 * MIB;
const NUMBERS = Buffer.from(new Float32Array(COUNT).fill(1.5).buffer);
const ZERO = Buffer.alloc(4);

function addOverHttp(): Buffer {
  const inputs = [
    { name: 'a', datatype: 'FP32', shape: [COUNT], parameters: { binary_data_size: NUMBERS.length } },
    { name: 'b', datatype: 'FP32', shape: [1], parameters: { binary_data_size: ZERO.length } },
  ];
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': json.length,
  };
  return rawRequest('POST', '/v2/models/add/infer', headers, Buffer.concat([json, NUMBERS, ZERO]));
}

function addOverGrpc(): Buffer {
  const input = (name: string, count: number) => protobuf({ 1: name, 2: 'FP32', 3: packed(count) });
  return framed(protobuf({ 1: 'add', 5: [input('a', COUNT), input('b', 1)], 7: [NUMBERS, ZERO] }));
}

interface Outcome {
  readonly isAnswered: boolean;
  readonly isRefused: boolean;
  /** HTTP's or gRPC's. */
  readonly status: unknown;
}

async function askOverHttp({ port }: ChildServer, request: Buffer): Promise<Outcome> {
  const client = await openRaw(port);
  client.send(request);
  const { status, headers, body } = await client.next();
  client.socket.destroy();
  const isRefused = status === 429 && Number(headers['retry-after']) >= 1;
  return { isAnswered: status === 200 && body.length > NUMBERS.length, isRefused, status };
}

async function askOverGrpc({ grpcPort }: ChildServer, request: Buffer): Promise<Outcome> {
  const client = connectRaw(grpcPort);
  const answer = await client.call('/inference.GRPCInferenceService/ModelInfer', [request]);
  client.close();
  const fields = { ...answer.headers, ...answer.trailers };
  const isRefused = fields['grpc-status'] === '8' && Number(fields['grpc-retry-pushback-ms']) >= 1;
  const status = fields['grpc-status'];
  return { isAnswered: status === '0' && answer.body.length > NUMBERS.length, isRefused, status };
}

describe.runIf(process.platform === 'linux').each([
  ['the own reader', { http: { ...PATIENCE, reader: 'own' } }, addOverHttp, askOverHttp],
  ['node:http', { http: { ...PATIENCE, reader: 'node' } }, addOverHttp, askOverHttp],
  ['gRPC', { grpcPort: 0, http: PATIENCE }, addOverGrpc, askOverGrpc],
] as const)('200 clients that send 8 MiB each at once, through %s', (_name, options, toRequest, ask) => {
  const server = childServer({ models: [IRIS, ADD], maxMemoryBytes: CEILING_MIB * MIB, ...options });

  it('are answered or told to come back; the process stays below its ceiling', async () => {
    expect(await askIris(server.url)).toBe(200);
    const request = toRequest();
    for (let wave = 0; wave < WAVES; wave += 1) {
      const outcomes = await Promise.all(Array.from({ length: CLIENTS }, () => ask(server, request)));
      const answered = outcomes.filter(({ isAnswered }) => isAnswered).length;
      const refused = outcomes.filter(({ isRefused }) => isRefused).length;
      expect(outcomes.filter(({ isAnswered, isRefused }) => !isAnswered && !isRefused)).toEqual([]);
      expect(answered).toBeGreaterThan(0);
      expect(refused).toBeGreaterThan(0);
    }
    expect(server.peakMib()).toBeLessThan(CEILING_MIB + SLACK_MIB);
    // Whoever comes back is taken, one after the other.
    for (let i = 0; i < 5; i += 1) {
      await expect.poll(async () => (await ask(server, request)).isAnswered).toBe(true);
    }
    await expect.poll(() => askIris(server.url)).toBe(200);
    expect(server.isAlive).toBe(true);
  });
});

describe.runIf(process.platform === 'linux')('answers of 32 MiB that nobody takes', () => {
  const engine = { host: 'thread', instances: PLACES } as const;
  const server = childServer({ models: [IRIS, OF_SHAPE], maxMemoryBytes: CEILING_MIB * MIB, engine });

  it('are let go where the process holds all it may', async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => openRaw(server.port)));
    const request = rawRequest(
      'POST',
      '/v2/models/of_shape/infer',
      { 'content-type': 'application/json' },
      zerosBody(ANSWER_MIB),
    );
    const answers = clients.map(async (client) => {
      client.send(request);
      // As much as the system takes for it; the rest waits in the server.
      await new Promise<void>((resolve) => client.socket.once('data', () => resolve()));
      client.socket.pause();
    });
    await Promise.all(answers);
    // What an answer takes is known when it is made: each place for a run may go beyond by one, which is copied once.
    expect(server.peakMib()).toBeLessThan(CEILING_MIB + PLACES * 2 * ANSWER_MIB + SLACK_MIB);
    for (const { socket } of clients) socket.destroy();
    await expect.poll(() => askIris(server.url)).toBe(200);
  });
});

describe.runIf(process.platform === 'linux').each([
  ['the own reader', { http: { reader: 'own' } }],
  ['node:http', { http: { reader: 'node' } }],
] as const)('bodies that are begun and never come, through %s', (_name, options) => {
  const server = childServer({ models: [IRIS, ADD], maxMemoryBytes: CEILING_MIB * MIB, ...options });

  it('give their room to others', async () => {
    expect(await askIris(server.url)).toBe(200);
    const request = addOverHttp();
    const stuck = await Promise.all(Array.from({ length: 20 }, () => openRaw(server.port)));
    for (const client of stuck) client.send(request.subarray(0, 64 * 1024));
    const refused = stuck.map(async (client) => (await client.next()).status);
    // Not at once: they might only be slow.
    await expect.poll(async () => (await askOverHttp(server, request)).isAnswered).toBe(true);
    expect(await Promise.race(refused)).toBe(429);
    for (const { socket } of stuck) socket.destroy();
    await Promise.allSettled(refused);
  });
});

it('a ceiling below what the models take is refused, and says what would do', () => {
  const program = fileURLToPath(new URL('./fixtures/server.mjs', import.meta.url));
  const options = { models: [IRIS], maxMemoryBytes: 40 * MIB };
  const { status, stderr } = spawnSync(process.execPath, [program, JSON.stringify(options)], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain("code: 'CONFIG_INVALID'");
  expect(stderr).toMatch(
    /server\.maxMemoryBytes: expected at least \d+ MiB, since the process holds \d+ MiB/,
  );
});
