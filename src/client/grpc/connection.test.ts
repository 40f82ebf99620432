/** Against servers that send what no proper one would, and connections that end. */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../base/util/clock.ts';
import type { Client, ClientOptions } from '../contract.ts';
import { createGrpcClient } from '../grpc-client.ts';

const CALL = { model: 'm', inputs: [] };

/** Gives nobody more than a tenth of a second. */
const hasty: Clock = {
  ...systemClock,
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, Math.min(delayMs, 100)),
};

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function open(port: number, options: Partial<ClientOptions> = {}): Client {
  const client = createGrpcClient({
    url: `grpc://127.0.0.1:${port}`,
    retry: { firstDelayMs: 1 },
    ...options,
  });
  closers.push(() => client.close());
  return client;
}

interface RawServer {
  readonly port: number;
  readonly server: Http2Server;
  readonly sessions: ServerHttp2Session[];
}

async function raw(onStream: (stream: ServerHttp2Stream, index: number) => void): Promise<RawServer> {
  const sessions: ServerHttp2Session[] = [];
  let streams = 0;
  const server = createServer();
  server.on('session', (session) => sessions.push(session));
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.resume();
    streams += 1;
    onStream(stream, streams);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, sessions };
}

const HEAD = { ':status': 200, 'content-type': 'application/grpc' };

function answerWith(stream: ServerHttp2Stream, bytes: Uint8Array, trailers: Record<string, string>): void {
  stream.respond(HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(bytes);
}

/** An empty answer: a ModelInferResponse may be no bytes at all. */
const EMPTY = Buffer.alloc(5);
const OK = { 'grpc-status': '0' };

describe('what no proper server sends', () => {
  it.each<[string, (stream: ServerHttp2Stream) => void, string, string]>([
    [
      'no message',
      (stream) => answerWith(stream, Buffer.alloc(0), OK),
      'ENGINE_FAILED',
      'one message in answer, got none',
    ],
    [
      'two messages',
      (stream) => answerWith(stream, Buffer.concat([EMPTY, EMPTY]), OK),
      'ENGINE_FAILED',
      'got more',
    ],
    [
      'half a message',
      (stream) => answerWith(stream, Buffer.of(0, 0, 0, 0, 9, 1), OK),
      'ENGINE_FAILED',
      'got none',
    ],
    [
      'a message in a coding that was not asked for',
      (stream) => answerWith(stream, Buffer.of(1, 0, 0, 0, 0), OK),
      'ENGINE_FAILED',
      'coding',
    ],
    [
      'a flag that is none',
      (stream) => answerWith(stream, Buffer.of(9, 0, 0, 0, 0), OK),
      'ENGINE_FAILED',
      'compressed flag',
    ],
    [
      'bytes that are no answer',
      (stream) => answerWith(stream, Buffer.of(0, 0, 0, 0, 2, 0xff, 0xff), OK),
      'ENGINE_FAILED',
      'something else than',
    ],
    ['no status', (stream) => answerWith(stream, EMPTY, {}), 'ENGINE_FAILED', 'an end without a status'],
    [
      'a web page',
      (stream) => {
        stream.respond({ ':status': 404, 'content-type': 'text/html' });
        stream.end('<html>not here</html>');
      },
      'UNSUPPORTED',
      'answered HTTP 404 instead of gRPC',
    ],
    [
      'a status without words',
      (stream) => stream.respond({ ...HEAD, 'grpc-status': '13' }, { endStream: true }),
      'ENGINE_FAILED',
      'answered status 13',
    ],
    ['a reset', (stream) => stream.close(2), 'MODEL_NOT_READY', 'broke off'],
    ['the end of the connection', (stream) => stream.session?.destroy(), 'MODEL_NOT_READY', 'cannot be used'],
  ])('%s', async (_, onStream, code, message) => {
    let asked = 0;
    const { port } = await raw((stream) => {
      asked += 1;
      onStream(stream);
    });
    await expect(open(port).infer(CALL)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(asked).toBe(1);
  });
});

describe('a connection', () => {
  it('is opened anew when the server has ended it, and a stream that was not begun with is sent again', async () => {
    const { port, sessions } = await raw((stream, index) => {
      if (index === 2) {
        stream.session?.goaway(0, 1);
        stream.close(7); // REFUSED_STREAM
      } else answerWith(stream, EMPTY, OK);
    });
    const client = open(port);
    await client.infer(CALL);
    await client.infer(CALL);
    expect(sessions).toHaveLength(2);
  });

  it('says where nothing listens, and what to do', async () => {
    const tcp = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    const { port } = tcp.address() as AddressInfo;
    await new Promise((resolve) => tcp.close(resolve));
    await expect(open(port).live()).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      retryable: true,
      message: expect.stringContaining('nimify serve'),
      details: { where: `grpc://127.0.0.1:${port}`, got: 'ECONNREFUSED' },
    });
  });

  it('waits for a server that comes up, within its time', async () => {
    const tcp = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    const { port } = tcp.address() as AddressInfo;
    await new Promise((resolve) => tcp.close(resolve));
    const client = open(port, { retry: { attempts: 1000, firstDelayMs: 5, maxDelayMs: 20 } });
    const answer = client.infer(CALL);
    const server = createServer();
    server.on('stream', (stream) => answerWith(stream, EMPTY, OK));
    closers.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((await answer).outputs).toEqual([]);
    await client.close();
  });

  it('says so where the port does not speak gRPC', async () => {
    const tcp = createTcpServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await new Promise((resolve) => tcp.once('listening', resolve));
    closers.push(() => tcp.close());
    const { port } = tcp.address() as AddressInfo;
    await expect(open(port).live()).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining('does not speak gRPC'),
    });
  });

  it('is given up where nobody answers any more, so that the next call opens another', async () => {
    const mute = new Set<ReturnType<typeof tcpConnect>>();
    const { port: realPort } = await raw((stream) => answerWith(stream, EMPTY, OK));
    let isMute = false;
    const relay = createTcpServer((client) => {
      const upstream = tcpConnect(realPort, '127.0.0.1');
      const passes = () => !isMute || !mute.has(client);
      client.on('data', (bytes) => passes() && upstream.write(bytes));
      upstream.on('data', (bytes) => passes() && client.write(bytes));
      for (const socket of [client, upstream]) socket.on('error', () => {});
      closers.push(() => upstream.destroy());
      if (!isMute) mute.add(client);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => relay.once('listening', resolve));
    closers.push(() => relay.close());
    const client = open((relay.address() as AddressInfo).port, { clock: hasty });
    await client.infer(CALL);
    isMute = true;
    await expect(client.infer({ ...CALL, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await expect
      .poll(() =>
        client.infer({ ...CALL, timeoutMs: 500 }).then(
          ({ outputs }) => outputs,
          () => undefined,
        ),
      )
      .toEqual([]);
  });

  it.each(['', '127.0.0.1:8001', 'http://127.0.0.1:8001', 'grpc://', 'grpc://h:1/path'])(
    'refuses the address %j',
    (url) => {
      expect(() => createGrpcClient({ url })).toThrow(/is no address; expected grpc:/);
    },
  );

  it.each([{ 'no name': 'x' }, { name: 'two\nlines' }])('refuses the header %j', (headers) => {
    expect(() => createGrpcClient({ url: 'grpc://h', headers })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  });
});
