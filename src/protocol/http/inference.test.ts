import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import type { HttpOptions } from './deps.ts';
import { deferContinue } from './expect-continue.ts';
import { createFakeDeps, createFakeServed } from './fake-registry.ts';
import { type Exchange, serveInference } from './inference.ts';
import { openRaw, rawRequest } from './raw-client.ts';
import { jsonReply, type Reply } from './reply.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A bare server whose one route is served by `answer`. */
async function serve(answer: (exchange: Exchange) => Promise<Reply>, options: Partial<HttpOptions> = {}) {
  const deps = createFakeDeps([], options);
  const server = createServer((request, response) => {
    void serveInference(request, response, deps, '/test', answer);
  });
  server.on('checkContinue', (request, response) => {
    deferContinue(request, response);
    void serveInference(request, response, deps, '/test', answer);
  });
  server.on('connection', (socket) => socket.setMaxListeners(0));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { deps, port, server };
}

/** Answers with the body's length and its first bytes. */
async function measure(exchange: Exchange): Promise<Reply> {
  const body = await exchange.body();
  return jsonReply(200, { length: body.length, head: Buffer.from(body.subarray(0, 5)).toString() });
}

function jsonOf(answer: { readonly body: Buffer }): Record<string, unknown> {
  return JSON.parse(answer.body.toString()) as Record<string, unknown>;
}

function chunk(bytes: Uint8Array | string): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
}

const CHUNKED = { 'transfer-encoding': 'chunked' };

describe('bodies', () => {
  it('are read whole when they come in pieces', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 10 }));
    client.send('hello');
    setTimeout(() => client.send('world'), 20);
    expect(jsonOf(await client.next())).toEqual({ length: 10, head: 'hello' });
  });

  it('are read whole when they come in chunks', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', CHUNKED));
    for (let i = 0; i < 100; i += 1) client.send(chunk('x'.repeat(i + 1)));
    client.send('0\r\n\r\n');
    expect(jsonOf(await client.next())).toEqual({ length: 5050, head: 'xxxxx' });
  });

  it('are refused where there is no memory for them, whatever the limit says', async () => {
    const { port } = await serve(measure, { maxBodyBytes: 2 ** 52 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 2 ** 50 }));
    client.send('x');
    const answer = await client.next();
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '1']);
    expect(jsonOf(answer)).toMatchObject({ code: 'OVERLOADED', details: { where: 'body' } });
  });

  it('may be empty', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/'));
    expect(jsonOf(await client.next()).length).toBe(0);
    client.send(rawRequest('POST', '/', {}, ''));
    expect(jsonOf(await client.next()).length).toBe(0);
    client.send(Buffer.concat([rawRequest('POST', '/', CHUNKED), Buffer.from('0\r\n\r\n')]));
    expect(jsonOf(await client.next()).length).toBe(0);
  });

  it('are placed so that the part behind the header is 8-aligned', async () => {
    const { port } = await serve(async (exchange) => {
      const body = await exchange.body(13);
      return jsonReply(200, { remainder: (body.byteOffset + 13) % 8, own: body.buffer.byteLength < 200 });
    });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, 'x'.repeat(100)));
    expect(jsonOf(await client.next())).toEqual({ remainder: 0, own: true });
  });
});

describe('bodies over the limit', () => {
  const limit = { maxBodyBytes: 1000 };

  it('are refused by their announced length, before any of it is sent', async () => {
    const { port, deps } = await serve(measure, limit);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 1001 }));
    const answer = await client.next();
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
    expect(jsonOf(answer)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { where: 'body' } });
    client.socket.end();
    await client.closed;
    expect(deps.outcomes).toMatchObject([{ code: 'PAYLOAD_TOO_LARGE', route: '/test' }]);
  });

  it('are refused while they stream in, and a client that sends all before it reads gets the answer', async () => {
    const { port } = await serve(measure, limit);
    const client = await openRaw(port);
    client.socket.pause();
    client.send(rawRequest('POST', '/', CHUNKED));
    // More than the socket buffers hold: had the server closed at once, a reset would have taken the answer away.
    const megabyte = chunk(Buffer.alloc(1 << 20));
    for (let i = 0; i < 16; i += 1) client.send(megabyte);
    await new Promise((resolve) => client.socket.write('0\r\n\r\n', resolve));
    client.socket.resume();
    expect((await client.next()).status).toBe(413);
    await client.closed;
  });

  it('are taken at exactly the limit', async () => {
    const { port } = await serve(measure, limit);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, 'x'.repeat(1000)));
    expect(jsonOf(await client.next()).length).toBe(1000);
  });

  it('are refused where only the decompressed body is over it', async () => {
    const { port } = await serve(measure, limit);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(1001))));
    expect((await client.next()).status).toBe(413);
  });

  it('are refused when they are a bomb, long before it has gone off', async () => {
    const { port } = await serve(measure, { maxBodyBytes: 1 << 20 });
    const client = await openRaw(port);
    const bomb = gzipSync(Buffer.alloc(256 << 20));
    expect(bomb.length).toBeLessThan(1 << 20);
    client.send(rawRequest('POST', '/', { 'content-encoding': 'gzip' }, bomb));
    expect(jsonOf(await client.next()).code).toBe('PAYLOAD_TOO_LARGE');
  });
});

describe('content-encoding', () => {
  it.each([
    ['gzip', gzipSync('hello there')],
    ['x-gzip', gzipSync('hello there')],
    ['GZIP', gzipSync('hello there')],
    ['deflate', deflateSync('hello there')],
    ['identity', Buffer.from('hello there')],
  ])('%s is decoded', async (coding, body) => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': coding }, body));
    expect(jsonOf(await client.next())).toEqual({ length: 11, head: 'hello' });
  });

  it('works on large bodies in chunks', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    const body = gzipSync(Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * i) % 251)));
    client.send(rawRequest('POST', '/', { ...CHUNKED, 'content-encoding': 'gzip' }));
    client.send(chunk(body.subarray(0, 1000)));
    client.send(chunk(body.subarray(1000)));
    client.send('0\r\n\r\n');
    expect(jsonOf(await client.next()).length).toBe(500_000);
  });

  it.each(['br', 'gzip, gzip', 'nonsense'])('%s is refused with 415', async (coding) => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': coding }, 'x'));
    expect((await client.next()).status).toBe(415);
  });

  it.each([
    ['damaged', Buffer.from('this is no gzip')],
    ['truncated', gzipSync('hello there').subarray(0, 15)],
  ])('%s data is refused, and the connection goes on', async (_what, body) => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': 'gzip' }, body));
    expect(jsonOf(await client.next()).code).toBe('INVALID_INPUT');
    client.send(rawRequest('POST', '/', {}, 'hello'));
    expect((await client.next()).status).toBe(200);
  });
});

describe('clients that misbehave', () => {
  it('and stall get 408 and are disconnected', async () => {
    const { port, deps } = await serve(measure, { receiveTimeoutMs: 50 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 10 }));
    client.send('hel');
    const answer = await client.next();
    expect(answer.status).toBe(408);
    expect(jsonOf(answer).code).toBe('REQUEST_TIMEOUT');
    await client.closed;
    expect(deps.outcomes[0]?.code).toBe('REQUEST_TIMEOUT');
  });

  it('and stall in compressed data get 408', async () => {
    const { port } = await serve(measure, { receiveTimeoutMs: 50 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 1000, 'content-encoding': 'gzip' }));
    client.send(gzipSync('hello').subarray(0, 12));
    expect((await client.next()).status).toBe(408);
    await client.closed;
  });

  it.each(['identity', 'gzip'])('and leave within a body (%s) are only counted', async (coding) => {
    const { port, deps } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 10, 'content-encoding': coding }));
    client.send(gzipSync('x').subarray(0, 5));
    setTimeout(() => client.socket.destroy(), 20);
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED' }]);
    expect(deps.logged).toEqual([]);
  });

  it('and leave while they wait cancel the work', async () => {
    let started: (exchange: Exchange) => void = () => {};
    const exchangeStarted = new Promise<Exchange>((resolve) => {
      started = resolve;
    });
    const { port, deps } = await serve(async (exchange) => {
      await exchange.body();
      started(exchange);
      await new Promise<void>((resolve) => exchange.cancel.on(resolve));
      throw new NimifyError('CANCELLED', 'stopped');
    });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, 'x'));
    const { cancel } = await exchangeStarted;
    expect(cancel.cancelled).toBe(false);
    client.socket.destroy();
    await expect.poll(() => cancel.reason).toBe('client-left');
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED' }]);
  });

  it('and leave with requests in the pipeline cancel all of them, and give back every answer', async () => {
    const cancelled: string[] = [];
    let released = 0;
    const { port, deps } = await serve(async (exchange) => {
      await exchange.body();
      if (exchange.requestId !== 'quick') {
        await new Promise<void>((resolve) => exchange.cancel.on(resolve));
        cancelled.push(exchange.requestId);
      }
      return { ...jsonReply(200, {}), release: () => (released += 1) };
    });
    const client = await openRaw(port);
    for (const id of ['a', 'b', 'quick']) {
      client.send(rawRequest('POST', '/', { 'x-request-id': id }, 'x'));
    }
    await expect.poll(() => deps.outcomes.length).toBe(1);
    client.socket.destroy();
    await expect.poll(() => cancelled.sort()).toEqual(['a', 'b']);
    await expect.poll(() => released).toBe(3);
  });
});

describe('Expect: 100-continue', () => {
  it('gets its 100, then the answer', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { expect: '100-continue', 'content-length': 5 }));
    expect((await client.next()).status).toBe(100);
    client.send('hello');
    expect(jsonOf(await client.next()).length).toBe(5);
  });

  it('gets its 100 after the answers to what came before it', async () => {
    const { port } = await serve(async (exchange) => {
      const body = Buffer.from(await exchange.body()).toString();
      await new Promise((resolve) => setTimeout(resolve, body === 'slow' ? 30 : 1));
      return jsonReply(200, { body });
    });
    const expecting = (body: string) => rawRequest('POST', '/', { expect: '100-continue' }, body);
    const client = await openRaw(port);
    client.send(Buffer.concat([rawRequest('POST', '/', {}, 'slow'), expecting('sent at once')]));
    expect(jsonOf(await client.next())).toEqual({ body: 'slow' });
    expect((await client.next()).status).toBe(100);
    expect(jsonOf(await client.next())).toEqual({ body: 'sent at once' });

    const patient = expecting('wait');
    client.send(Buffer.concat([rawRequest('POST', '/', {}, 'slow'), patient.subarray(0, -4)]));
    expect(jsonOf(await client.next())).toEqual({ body: 'slow' });
    expect((await client.next()).status).toBe(100);
    client.send('wait');
    expect(jsonOf(await client.next())).toEqual({ body: 'wait' });
  });

  it('is forgotten where the client leaves before its turn', async () => {
    const { port, deps } = await serve(async (exchange) => {
      await exchange.body();
      await new Promise<void>((resolve) => exchange.cancel.on(resolve));
      throw new NimifyError('CANCELLED', 'stopped');
    });
    const client = await openRaw(port);
    client.send(
      Buffer.concat([
        rawRequest('POST', '/', {}, 'x'),
        rawRequest('POST', '/', { expect: '100-continue' }, 'y'),
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.socket.destroy();
    await expect.poll(() => deps.outcomes.map(({ code }) => code)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  it('gets the refusal without a 100', async () => {
    const { port } = await serve(measure, { maxBodyBytes: 10 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { expect: '100-continue', 'content-length': 11 }));
    const answer = await client.next();
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
  });
});

describe('answers', () => {
  const large = { text: 'tensor '.repeat(1000) };

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('are sent in %s where the client likes it', async (coding, decode) => {
    let released = 0;
    const { port } = await serve(async () => ({ ...jsonReply(200, large), release: () => (released += 1) }));
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'accept-encoding': coding }));
    const answer = await client.next();
    expect(answer.headers['content-encoding']).toBe(coding);
    expect(JSON.parse(decode(answer.body).toString())).toEqual(large);
    expect(released).toBe(1);
  });

  it('are sent plain where they are short or the client did not ask', async () => {
    const { port } = await serve(async (exchange) =>
      jsonReply(200, exchange.request.url === '/large' ? large : { short: true }),
    );
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/large'));
    expect((await client.next()).headers['content-encoding']).toBeUndefined();
    client.send(rawRequest('POST', '/', { 'accept-encoding': 'gzip' }));
    expect((await client.next()).headers['content-encoding']).toBeUndefined();
  });

  it('carry the request id that was sent, or one of ours', async () => {
    const { port } = await serve(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'x-request-id': 'mine-1' }, 'x'));
    expect((await client.next()).headers['x-request-id']).toBe('mine-1');
    client.send(rawRequest('POST', '/', { 'x-request-id': 'a b' }, 'x'));
    expect((await client.next()).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are noted for the access log, once each', async () => {
    const { port, deps } = await serve(measure, { maxBodyBytes: 4 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'x-request-id': 'first' }, 'ab'));
    await client.next();
    client.send(rawRequest('POST', '/', { 'x-request-id': 'second' }, 'abcde'));
    await client.next();
    expect(deps.noted).toEqual([
      { requestId: 'first', code: 'OK' },
      { requestId: 'second', code: 'PAYLOAD_TOO_LARGE' },
    ]);
  });

  it("are due by the model's own deadline where the request sets none", async () => {
    const { port } = await serve(async (exchange) => {
      exchange.setModel({ ...createFakeServed({ name: 'm' }), defaultTimeoutMs: 50 });
      const { deadlineAtNs } = exchange.context({});
      return jsonReply(200, { leftMs: Math.round((deadlineAtNs - exchange.arrivedAtNs) / 1e6) });
    });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, ''));
    expect(jsonOf(await client.next())).toEqual({ leftMs: 50 });
  });

  it('come in order where requests are pipelined, whichever is done first', async () => {
    const { port } = await serve(async (exchange) => {
      const body = Buffer.from(await exchange.body()).toString();
      await new Promise((resolve) => setTimeout(resolve, body === 'slow' ? 60 : 1));
      return jsonReply(200, { body });
    });
    const client = await openRaw(port);
    client.send(
      Buffer.concat([
        rawRequest('POST', '/', {}, 'slow'),
        ...Array.from({ length: 20 }, (_, i) => rawRequest('POST', '/', {}, `quick ${i}`)),
      ]),
    );
    expect(jsonOf(await client.next()).body).toBe('slow');
    for (let i = 0; i < 20; i += 1) expect(jsonOf(await client.next()).body).toBe(`quick ${i}`);
  });

  it('to faults name no cause; the log has it', async () => {
    const { port, deps } = await serve(async (exchange) => {
      await exchange.body();
      throw new TypeError('secret internals');
    });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, 'x'));
    const answer = await client.next();
    expect(answer.status).toBe(500);
    expect(answer.body.toString()).not.toContain('secret');
    expect(deps.logged).toMatchObject([{ fields: { err: { cause: { message: 'secret internals' } } } }]);
    client.send(rawRequest('POST', '/', {}, 'x'));
    expect((await client.next()).status).toBe(500);
  });
});
