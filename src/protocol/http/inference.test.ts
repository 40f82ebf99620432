import { gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { createFakeServed } from './fake-registry.ts';
import { closeRoutes, measure, serveRoute } from './fake-route.ts';
import type { Exchange } from './inference.ts';
import { jsonOf, openRaw, rawRequest } from './raw-client.ts';
import { jsonReply } from './reply.ts';

afterEach(closeRoutes);

describe('clients that misbehave', () => {
  it('and stall get 408 and are disconnected', async () => {
    const { port, deps } = await serveRoute(measure, { receiveTimeoutMs: 50 });
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
    const { port } = await serveRoute(measure, { receiveTimeoutMs: 50 });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'content-length': 1000, 'content-encoding': 'gzip' }));
    client.send(gzipSync('hello').subarray(0, 12));
    expect((await client.next()).status).toBe(408);
    await client.closed;
  });

  it.each(['identity', 'gzip'])('and leave within a body (%s) are only counted', async (coding) => {
    const { port, deps } = await serveRoute(measure);
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
    const { port, deps } = await serveRoute(async (exchange) => {
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
    const { port, deps } = await serveRoute(async (exchange) => {
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

describe('answers', () => {
  const large = { text: 'tensor '.repeat(1000) };

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('are sent in %s where the client likes it', async (coding, decode) => {
    let released = 0;
    const { port } = await serveRoute(async () => ({
      ...jsonReply(200, large),
      release: () => (released += 1),
    }));
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'accept-encoding': coding }));
    const answer = await client.next();
    expect(answer.headers['content-encoding']).toBe(coding);
    expect(JSON.parse(decode(answer.body).toString())).toEqual(large);
    expect(released).toBe(1);
  });

  it('are sent plain where they are short or the client did not ask', async () => {
    const { port } = await serveRoute(async (exchange) =>
      jsonReply(200, exchange.request.url === '/large' ? large : { short: true }),
    );
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/large'));
    expect((await client.next()).headers['content-encoding']).toBeUndefined();
    client.send(rawRequest('POST', '/', { 'accept-encoding': 'gzip' }));
    expect((await client.next()).headers['content-encoding']).toBeUndefined();
  });

  it('carry the request id that was sent, or one of ours', async () => {
    const { port } = await serveRoute(measure);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', { 'x-request-id': 'mine-1' }, 'x'));
    expect((await client.next()).headers['x-request-id']).toBe('mine-1');
    client.send(rawRequest('POST', '/', { 'x-request-id': 'a b' }, 'x'));
    expect((await client.next()).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are noted for the access log, once each', async () => {
    const { port, deps } = await serveRoute(measure, { maxBodyBytes: 4 });
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
    const { port } = await serveRoute(async (exchange) => {
      exchange.setModel({ ...createFakeServed({ name: 'm' }), defaultTimeoutMs: 50 });
      const { deadlineAtNs } = exchange.context({});
      return jsonReply(200, { leftMs: Math.round((deadlineAtNs - exchange.arrivedAtNs) / 1e6) });
    });
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/', {}, ''));
    expect(jsonOf(await client.next())).toEqual({ leftMs: 50 });
  });

  it('come in order where requests are pipelined, whichever is done first', async () => {
    const { port } = await serveRoute(async (exchange) => {
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
    const { port, deps } = await serveRoute(async (exchange) => {
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
