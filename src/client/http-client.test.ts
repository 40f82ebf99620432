import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeInferRequest } from '../base/oip/decode.ts';
import { encodeInferResponse } from '../base/oip/encode.ts';
import { toBytesData, toStrings } from '../base/tensor/bytes.ts';
import type { BytesData, Tensor } from '../base/tensor/tensor.ts';
import { type Clock, systemClock } from '../base/util/clock.ts';
import { createFakeClock } from '../base/util/fake-clock.ts';
import type { ClientOptions } from './contract.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';

type Answer = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

const closers: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function clientOf(
  answer: Answer,
  path = '',
  options: Partial<ClientOptions> = {},
): Promise<HttpClient> {
  const url = await listen(
    createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => answer(request, Buffer.concat(chunks), response));
    }),
  );
  return openClient(`${url}${path}`, options);
}

function openClient(url: string, options: Partial<ClientOptions> = {}): HttpClient {
  const client = createHttpClient({ url, headers: { authorization: 'Bearer t' }, ...options });
  closers.push(() => client.close());
  return client;
}

/** Answers an inference with its own inputs, encoded as the client asked for. */
const echo: Answer = (request, body, response) => {
  const length = request.headers['inference-header-content-length'];
  const decoded = decodeInferRequest(body, length === undefined ? undefined : Number(length));
  const { chunks, headerLength } = encodeInferResponse(
    { model: 'm', version: '3', id: decoded.id, outputs: decoded.inputs, parameters: { seen: true } },
    () => length !== undefined,
  );
  if (headerLength !== undefined) response.setHeader('inference-header-content-length', headerLength);
  response.end(Buffer.concat(chunks));
};

const NUMBERS: Tensor = {
  name: 'n',
  datatype: 'INT64',
  shape: [2],
  data: BigInt64Array.of(2n ** 62n + 1n, -1n),
};
const TEXTS: Tensor = { name: 't', datatype: 'BYTES', shape: [2], data: toBytesData(['Où', '']) };
const HALVES: Tensor = { name: 'h', datatype: 'FP16', shape: [1, 2], data: Uint16Array.of(0x3c00, 0x7e00) };

describe('infer', () => {
  it.each([true, false])('brings every element there and back (binary: %s)', async (binary) => {
    const client = await clientOf(echo);
    const answer = await client.infer({ model: 'm', id: 'i', inputs: [NUMBERS, TEXTS], binary });
    expect(answer).toMatchObject({ model: 'm', version: '3', id: 'i', parameters: { seen: true } });
    expect(answer.outputs[0]).toEqual(NUMBERS);
    expect(toStrings(answer.outputs[1]!.data as BytesData)).toEqual(['Où', '']);
  });

  it('carries half-precision as bits, and bodies of several chunks', async () => {
    const client = await clientOf(echo);
    const large: Tensor = {
      name: 'l',
      datatype: 'FP32',
      shape: [50_000],
      data: Float32Array.from({ length: 50_000 }, (_, at) => at / 7),
    };
    const { outputs } = await client.infer({ model: 'm', inputs: [HALVES, large] });
    expect(outputs).toEqual([HALVES, large]);
  });

  it('names model and version in the path, sends headers and the time that is left', async () => {
    const seen: IncomingMessage[] = [];
    const take: Answer = (request, body, response) => {
      seen.push(request);
      echo(request, body, response);
    };
    const client = await clientOf(take, '/prefix/', { clock: createFakeClock() });
    await client.infer({ model: 'a/b', version: '2', inputs: [NUMBERS], timeoutMs: 1500 });
    expect(seen[0]?.url).toBe('/prefix/v2/models/a%2Fb/versions/2/infer');
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer t', 'x-request-deadline': '1500ms' });
  });

  it('gives the server error with its code', async () => {
    const client = await clientOf((_request, _body, response) => {
      response.statusCode = 404;
      response.end('{"error":"no such model","code":"MODEL_NOT_FOUND"}');
    });
    await expect(client.infer({ model: 'm', inputs: [NUMBERS] })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'no such model',
      retryable: false,
    });
  });

  it('tells of an answer that is not of the protocol', async () => {
    const client = await clientOf((_request, _body, response) => response.end('<html>'));
    await expect(client.infer({ model: 'm', inputs: [NUMBERS] })).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
    });
  });

  it('ends at the deadline', async () => {
    const client = await clientOf(() => {});
    await expect(client.infer({ model: 'm', inputs: [NUMBERS], timeoutMs: 30 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
  });

  it('ends when the caller aborts, and the server sees the client leave', async () => {
    const abort = new AbortController();
    let sawLeave: () => void = () => {};
    const leaving = new Promise<void>((resolve) => {
      sawLeave = resolve;
    });
    const client = await clientOf((_request, _body, response) => {
      response.on('close', sawLeave);
      abort.abort();
    });
    const call = client.infer({ model: 'm', inputs: [NUMBERS], signal: abort.signal });
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    await leaving;
    await expect(
      client.infer({ model: 'm', inputs: [NUMBERS], signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a body with tensors in it', () => {
  it('is read into memory in which they lie aligned, and are views of it', async () => {
    const client = await clientOf(echo);
    for (const id of ['', 'a', 'bc', 'def', 'ghij', 'klmno']) {
      const { outputs } = await client.infer({
        model: 'm',
        id,
        inputs: [NUMBERS, { ...NUMBERS, name: 'o' }],
      });
      const [first, second] = outputs.map(({ data }) => data as BigInt64Array);
      expect(second?.buffer).toBe(first?.buffer);
      expect([first, second]).toEqual([NUMBERS.data, NUMBERS.data]);
    }
  });

  it('fails where it is cut off', async () => {
    const client = await clientOf((_request, _body, response) => {
      response.setHeader('inference-header-content-length', 10);
      response.setHeader('content-length', 1000);
      response.write('{"outputs":');
      setImmediate(() => response.destroy());
    });
    await expect(client.infer({ model: 'm', inputs: [NUMBERS] })).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining('closed the connection'),
    });
  });
});

describe('a busy server', () => {
  /** Waits a hundredth of what it is told. */
  const hasty: Clock = {
    ...systemClock,
    setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs / 100),
  };

  function busyFor(times: number, status: number, headers: Readonly<Record<string, string>>) {
    const asked: string[] = [];
    const answer: Answer = (request, body, response) => {
      asked.push(String(request.headers['x-request-deadline']));
      if (asked.length > times) {
        echo(request, body, response);
        return;
      }
      response.writeHead(status, headers);
      response.end('{"error":"busy"}');
    };
    return { asked, answer };
  }

  it.each([
    [429, { 'retry-after': '2' }],
    [503, { 'retry-after': '1' }],
    [503, {}],
  ])('is asked again after %i with %j, with what is left of the time', async (status, headers) => {
    const { asked, answer } = busyFor(2, status, headers);
    const client = await clientOf(answer, '', { clock: hasty });
    expect((await client.infer({ model: 'm', inputs: [NUMBERS] })).outputs).toEqual([NUMBERS]);
    expect(asked).toHaveLength(3);
    expect(Number.parseInt(asked[2] ?? '', 10)).toBeLessThanOrEqual(Number.parseInt(asked[0] ?? '', 10));
  });

  it.each([
    ['what may have run', 502, {}],
    ['what will fail again', 400, {}],
    ['a server that wants more time than there is', 503, { 'retry-after': '31' }],
  ])('is not asked again: %s', async (_, status, headers) => {
    const { asked, answer } = busyFor(1, status, headers);
    const client = await clientOf(answer, '', { clock: hasty });
    await expect(client.infer({ model: 'm', inputs: [NUMBERS] })).rejects.toMatchObject({ message: 'busy' });
    expect(asked).toHaveLength(1);
  });

  it('is not asked about its health twice', async () => {
    const { asked, answer } = busyFor(1, 503, { 'retry-after': '1' });
    const client = await clientOf(answer, '', { clock: hasty });
    expect(await client.ready()).toBe(false);
    expect(asked).toHaveLength(1);
  });
});

describe('a connection that fails', () => {
  it('says where nothing listens and what to do', async () => {
    const tcp = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    const { port } = tcp.address() as AddressInfo;
    await new Promise((resolve) => tcp.close(resolve));
    const client = openClient(`http://127.0.0.1:${port}`);
    await expect(client.live()).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      retryable: true,
      message: expect.stringContaining('nimify serve'),
      details: { where: `http://127.0.0.1:${port}`, got: 'ECONNREFUSED' },
    });
  });

  it('says so where the port does not speak HTTP', async () => {
    const tcp = createTcpServer((socket) => socket.end('220 mail.example ESMTP\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => tcp.once('listening', resolve));
    closers.push(() => void tcp.close());
    const client = openClient(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}`);
    await expect(client.live()).rejects.toMatchObject({
      message: expect.stringContaining('does not speak HTTP'),
    });
  });

  it('says so where the server hangs up', async () => {
    const client = await clientOf((request) => request.socket.destroy());
    await expect(client.ready()).rejects.toMatchObject({
      code: 'MODEL_NOT_READY',
      message: expect.stringContaining('closed the connection'),
    });
  });

  it.each(['', 'localhost:8000', 'ftp://x', 'not an address'])('refuses the address %j', (url) => {
    expect(() => createHttpClient({ url })).toThrow(/is no address; expected http:/);
  });
});

describe('health and metadata', () => {
  it.each([
    [200, true],
    [400, false],
    [503, false],
  ])('takes %i for %s', async (status, expected) => {
    const client = await clientOf((_request, _body, response) => {
      response.statusCode = status;
      response.end('{}');
    });
    expect(await client.live()).toBe(expected);
    expect(await client.ready()).toBe(expected);
    expect(await client.modelReady('m', '1')).toBe(expected);
  });

  it('takes no unknown model for ready, and no other server for one', async () => {
    let body = '{"error":"unknown","code":"MODEL_NOT_FOUND"}';
    const client = await clientOf((_request, _body, response) => {
      response.statusCode = 404;
      response.end(body);
    });
    expect(await client.modelReady('m')).toBe(false);
    body = '<html>not here</html>';
    await expect(client.modelReady('m')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('reads metadata from the routes of the protocol', async () => {
    const client = await clientOf((request, _body, response) => {
      const model = { name: request.url, inputs: [], outputs: [] };
      response.end(
        JSON.stringify(request.url === '/v2' ? { name: 's', version: '1', extensions: ['x'] } : model),
      );
    });
    expect(await client.serverMetadata()).toEqual({ name: 's', version: '1', extensions: ['x'] });
    expect((await client.modelMetadata('m')).name).toBe('/v2/models/m');
    expect((await client.modelMetadata('m', '7')).name).toBe('/v2/models/m/versions/7');
    await expect(client.getJson('/v1/models')).resolves.toMatchObject({ name: '/v1/models' });
  });
});
