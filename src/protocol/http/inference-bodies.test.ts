import { deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { closeRoutes, measure, serveRoute } from './fake-route.ts';
import { jsonOf, openRaw, rawRequest } from './raw-client.ts';
import { jsonReply } from './reply.ts';

afterEach(closeRoutes);

function chunk(bytes: Uint8Array | string): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
}

const CHUNKED = { 'transfer-encoding': 'chunked' };

describe('bodies', () => {
  it('are read whole when they come in pieces', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 10 }));
    client.send('hello');
    setTimeout(() => client.send('world'), 20);
    expect(jsonOf(await client.next())).toEqual({ length: 10, head: 'hello' });
  });

  it('are read whole when they come in chunks', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', CHUNKED));
    for (let i = 0; i < 100; i += 1) client.send(chunk('x'.repeat(i + 1)));
    client.send('0\r\n\r\n');
    expect(jsonOf(await client.next())).toEqual({ length: 5050, head: 'xxxxx' });
  });

  it('are refused where there is no memory for them, whatever the limit says', async () => {
    const { port } = await serveRoute(measure, { maxBodyBytes: 2 ** 52 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 2 ** 50 }));
    client.send('x');
    const answer = await client.next();
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '1']);
    expect(jsonOf(answer)).toMatchObject({ code: 'OVERLOADED', details: { where: 'body' } });
  });

  it('may be empty', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/'));
    expect(jsonOf(await client.next()).length).toBe(0);
    client.send(rawRequest('POST', '/', {}, ''));
    expect(jsonOf(await client.next()).length).toBe(0);
    client.send(Buffer.concat([rawRequest('POST', '/', CHUNKED), Buffer.from('0\r\n\r\n')]));
    expect(jsonOf(await client.next()).length).toBe(0);
  });

  it('are placed so that the part behind the header is 8-aligned', async () => {
    const { port } = await serveRoute(async (exchange) => {
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
    const { port, deps } = await serveRoute(measure, limit);
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
    const { port } = await serveRoute(measure, limit);
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
    const { port } = await serveRoute(measure, limit);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, 'x'.repeat(1000)));
    expect(jsonOf(await client.next()).length).toBe(1000);
  });

  it('are refused where only the decompressed body is over it', async () => {
    const { port } = await serveRoute(measure, limit);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(1001))));
    expect((await client.next()).status).toBe(413);
  });

  it('are refused when they are a bomb, long before it has gone off', async () => {
    const { port } = await serveRoute(measure, { maxBodyBytes: 1 << 20 });
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
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': coding }, body));
    expect(jsonOf(await client.next())).toEqual({ length: 11, head: 'hello' });
  });

  it('works on large bodies in chunks', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    const body = gzipSync(Buffer.from(Array.from({ length: 500_000 }, (_, i) => (i * i) % 251)));
    client.send(rawRequest('POST', '/', { ...CHUNKED, 'content-encoding': 'gzip' }));
    client.send(chunk(body.subarray(0, 1000)));
    client.send(chunk(body.subarray(1000)));
    client.send('0\r\n\r\n');
    expect(jsonOf(await client.next()).length).toBe(500_000);
  });

  it.each(['br', 'gzip, gzip', 'nonsense'])('%s is refused with 415', async (coding) => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': coding }, 'x'));
    expect((await client.next()).status).toBe(415);
  });

  it.each([
    ['damaged', Buffer.from('this is no gzip')],
    ['truncated', gzipSync('hello there').subarray(0, 15)],
  ])('%s data is refused, and the connection goes on', async (_what, body) => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-encoding': 'gzip' }, body));
    expect(jsonOf(await client.next()).code).toBe('INVALID_INPUT');
    client.send(rawRequest('POST', '/', {}, 'hello'));
    expect((await client.next()).status).toBe(200);
  });
});

describe('Expect: 100-continue', () => {
  it('gets its 100, then the answer', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { expect: '100-continue', 'content-length': 5 }));
    expect((await client.next()).status).toBe(100);
    client.send('hello');
    expect(jsonOf(await client.next()).length).toBe(5);
  });

  it('gets its 100 after the answers to what came before it', async () => {
    const { port } = await serveRoute(async (exchange) => {
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
    const { port, deps } = await serveRoute(async (exchange) => {
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
    const { port } = await serveRoute(measure, { maxBodyBytes: 10 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { expect: '100-continue', 'content-length': 11 }));
    const answer = await client.next();
    expect(answer.status).toBe(413);
    expect(answer.headers.connection).toBe('close');
  });
});
