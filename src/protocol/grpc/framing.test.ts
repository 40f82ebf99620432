/** Calls whose bytes no proper client would send: pieces that begin and end anywhere, and what is no gRPC. */
import { gzipSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, serveFake } from './fake-registry.ts';
import {
  ModelInferRequestSchema,
  ModelInferResponseSchema,
  ModelStreamInferResponseSchema,
} from './generated/inference/infer_pb.ts';
import { connectRaw, framed, type RawClient } from './raw-client.ts';

const MODEL_INFER = '/inference.GRPCInferenceService/ModelInfer';
const STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';

let server: FakeServer;
let client: RawClient;

beforeAll(async () => {
  server = await serveFake([{ name: 'm' }], { maxReceiveMessageBytes: 100_000 });
  client = connectRaw(server.port);
});

afterAll(async () => {
  client.close();
  await server.close();
});

function message(rows: number, id = ''): Uint8Array {
  const request = create(ModelInferRequestSchema, {
    modelName: 'm',
    id,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [BigInt(rows), 4n] }],
    rawInputContents: [new Uint8Array(rows * 16).fill(7)],
  });
  return toBinary(ModelInferRequestSchema, request);
}

const cutAt = (bytes: Uint8Array, ...at: number[]) =>
  [0, ...at].map((from, index) => bytes.subarray(from, at[index] ?? bytes.length));

describe('a message', () => {
  const whole = framed(message(3, 'id'));

  it.each([
    ['in its header', cutAt(whole, 1, 3)],
    ['after its header', cutAt(whole, 5)],
    ['at every byte', [...whole].map((byte) => Uint8Array.of(byte))],
    ['in its last byte', cutAt(whole, whole.length - 1)],
    ['with empty pieces', [new Uint8Array(0), whole, new Uint8Array(0)]],
  ])('may be cut %s', async (_where, pieces) => {
    const { body, trailers, rstCode } = await client.call(MODEL_INFER, pieces);
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
    expect(rstCode).toBe(0);
    const answer = fromBinary(ModelInferResponseSchema, body.subarray(5));
    expect(answer).toMatchObject({ id: 'id', outputs: [{ shape: [3n, 4n] }] });
    expect(answer.rawOutputContents[0]).toEqual(Buffer.alloc(48, 7));
  });

  it('is kept as it came until its stream ends, whatever others send meanwhile', async () => {
    const request = (id: string) => framed(message(2, id));
    const first = request('first');
    const stream = client.session.request({
      ':method': 'POST',
      ':path': MODEL_INFER,
      'content-type': 'application/grpc',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The header apart from the rest, which then is a whole message.
    for (const piece of cutAt(first, 3)) {
      await new Promise<void>((sent) => stream.write(piece, () => sent()));
      await client.call(MODEL_INFER, [request('other')]);
    }
    await client.call(MODEL_INFER, cutAt(framed(message(4, 'another')), 40));
    stream.end();
    await new Promise((resolve) => stream.on('close', resolve));
    const answer = fromBinary(ModelInferResponseSchema, Buffer.concat(chunks).subarray(5));
    expect(answer.id).toBe('first');
  });

  it('may be one of several in one piece, of which some end within the next', async () => {
    const messages = [message(1, 'a'), message(900, 'b'), message(2, 'c'), message(1, 'd')].map((one) =>
      framed(one),
    );
    const pieces = cutAt(Buffer.concat(messages), 30, 9000);
    const { body, trailers } = await client.call(STREAM_INFER, pieces);
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
    const ids: string[] = [];
    for (let at = 0; at < body.length; ) {
      const end = at + 5 + body.readUInt32BE(at + 1);
      ids.push(
        fromBinary(ModelStreamInferResponseSchema, body.subarray(at + 5, end)).inferResponse?.id ?? '',
      );
      at = end;
    }
    expect(ids).toEqual(['a', 'b', 'c', 'd']);
  });

  it('may be compressed, whole or in pieces, and the answer then is as well', async () => {
    const compressed = framed(gzipSync(message(500)), true);
    for (const pieces of [[compressed], cutAt(compressed, 4, 20)]) {
      const { headers, body, trailers } = await client.call(MODEL_INFER, pieces, {
        headers: { 'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'identity,gzip' },
      });
      expect(trailers).toMatchObject({ 'grpc-status': '0' });
      expect(headers['grpc-encoding']).toBe('gzip');
      expect(body[0]).toBe(1);
    }
    const { headers, body } = await client.call(MODEL_INFER, [compressed], {
      headers: { 'grpc-encoding': 'gzip' },
    });
    expect(headers['grpc-encoding']).toBeUndefined();
    expect(body[0]).toBe(0);
  });
});

describe('what is wrong with a call', () => {
  const good = framed(message(1));

  it.each([
    ['no message', [], {}, '12', 'expected exactly one message, got none'],
    ['two messages', [good, good], {}, '12', 'expected exactly one message, got more'],
    ['a part of a message', [good.subarray(0, 20)], {}, '12', 'got a part of one'],
    [
      'an unknown flag',
      [Buffer.concat([Buffer.of(9), good.subarray(1)])],
      {},
      '3',
      'compressed flag of 0 or 1',
    ],
    [
      'too long a message',
      [Buffer.of(0, 255, 255, 255, 255)],
      {},
      '8',
      'expected at most 100000 bytes, got 4294967295',
    ],
    [
      'an unknown coding',
      [good],
      { 'grpc-encoding': 'br' },
      '12',
      'grpc-encoding: expected identity, gzip, deflate',
    ],
    ['a flag without a coding', [framed(gzipSync(message(1)), true)], {}, '3', 'got none'],
    [
      'a damaged compressed message',
      [framed(Buffer.from('no gzip'), true)],
      { 'grpc-encoding': 'gzip' },
      '3',
      'do not decompress',
    ],
    [
      'a bomb',
      [framed(gzipSync(Buffer.alloc(200_000)), true)],
      { 'grpc-encoding': 'gzip' },
      '8',
      'after decompression',
    ],
    ['a timeout that is none', [good], { 'grpc-timeout': '5 s' }, '3', 'grpc-timeout'],
    ['bytes that are no protobuf', [framed(Buffer.alloc(20, 255))], {}, '3', 'message: expected'],
    [
      'a message that ends within a field',
      [framed(message(1).subarray(0, 20))],
      {},
      '3',
      'ends within a field',
    ],
  ] as const)('is told in trailers alone: %s', async (_what, pieces, headers, code, text) => {
    const answer = await client.call(MODEL_INFER, pieces, { headers });
    expect(answer.headers).toMatchObject({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': code,
    });
    expect(decodeURIComponent(String(answer.headers['grpc-message']))).toContain(text);
    expect(answer.headers['grpc-accept-encoding']).toBe('identity,gzip,deflate');
    expect(answer.body).toHaveLength(0);
  });

  it('is told in HTTP where it is no gRPC', async () => {
    const asked = { headers: { 'content-type': 'application/json' } };
    expect((await client.call(MODEL_INFER, [good], asked)).headers[':status']).toBe(415);
    const web = { headers: { 'content-type': 'application/grpc-web+proto' } };
    expect((await client.call(MODEL_INFER, [good], web)).headers[':status']).toBe(415);
    const got = (await client.call(MODEL_INFER, [], { headers: { ':method': 'GET' } })).headers;
    expect(got).toMatchObject({ ':status': 405, allow: 'POST' });
  });

  it.each([
    '/',
    '/nothing',
    '/inference.GRPCInferenceService/',
    '/inference.GRPCInferenceService/Nothing',
    '/x/y/z',
  ])('is UNIMPLEMENTED for the path %s', async (path) => {
    const { headers } = await client.call(path, [good]);
    expect(headers).toMatchObject({ 'grpc-status': '12' });
    expect(headers['grpc-message']).toContain(path);
  });

  it('does not cost the connection: what still arrives is passed over and its window given back', async () => {
    const huge = Buffer.alloc(200_000);
    huge.writeUInt32BE(199_995, 1);
    for (let count = 0; count < 120; count += 1) {
      const { headers } = await client.call(MODEL_INFER, cutAt(huge, 100_000));
      expect(headers['grpc-status']).toBe('8');
    }
    expect((await client.call(MODEL_INFER, [good])).trailers).toMatchObject({ 'grpc-status': '0' });
  });

  it('ends a call that was left open, so that both sides can forget it', async () => {
    const answer = await client.call(MODEL_INFER, [Buffer.of(7, 0, 0, 0, 0)], { isOpen: true });
    expect(answer.headers['grpc-status']).toBe('3');
    expect(answer.rstCode).toBe(0);
  });
});
