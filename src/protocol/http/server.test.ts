import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NimifyError } from '../../base/errors/nimify-error.ts';
import { ROWS_OF_FOUR } from '../../registry/fake-served.ts';
import type { HttpOptions } from './deps.ts';
import { createFakeDeps, echo, type FakeServedOptions } from './fake-registry.ts';
import { openRaw, rawRequest } from './raw-client.ts';
import { createHttpServer, type HttpServer } from './server.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ graceMs: 0 })));
});

async function serve(
  models: readonly FakeServedOptions[] = [{ name: 'rows' }],
  options: Partial<HttpOptions> = {},
) {
  const deps = createFakeDeps(models, options);
  const server = createHttpServer(deps);
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  return { deps, server, port, url: `http://127.0.0.1:${port}` };
}

const ROW = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }] });
const JSON_TYPE = { 'content-type': 'application/json' };

/** A model that answers when told to. */
function createHeldModel() {
  const waiting: (() => void)[] = [];
  const model: FakeServedOptions = {
    name: 'held',
    infer: (request) => new Promise((resolve) => waiting.push(() => resolve(echo(request, ROWS_OF_FOUR)))),
  };
  return { model, waiting };
}

describe('routes', () => {
  it('are answered by Fastify and by the infer path on one port and one connection', async () => {
    const { port } = await serve();
    const client = await openRaw(port);
    client.send(rawRequest('GET', '/v2/health/live'));
    client.send(rawRequest('POST', '/v2/models/rows/infer', JSON_TYPE, ROW));
    client.send(rawRequest('GET', '/v2'));
    expect(JSON.parse((await client.next()).body.toString())).toEqual({ live: true });
    expect(JSON.parse((await client.next()).body.toString())).toMatchObject({ model_name: 'rows' });
    expect(JSON.parse((await client.next()).body.toString())).toMatchObject({ name: 'nimify' });
  });

  it('are found where the request line names the host as well', async () => {
    const { port } = await serve();
    const client = await openRaw(port);
    client.send(rawRequest('POST', 'http://test/v2/models/rows/infer', JSON_TYPE, ROW));
    expect((await client.next()).status).toBe(200);
    client.send(rawRequest('GET', 'http://test/v2/health/live'));
    expect((await client.next()).status).toBe(200);
  });

  it('that do not exist answer 404 in the shape of every error', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/v2/nothing?x=1`, { headers: { 'x-request-id': 'mine' } });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-request-id')).toBe('mine');
    expect(await response.json()).toMatchObject({
      error: expect.stringContaining('/v2/nothing'),
      code: 'NOT_FOUND',
      request_id: 'mine',
    });
  });

  it.each([
    ['GET', '/v2/models/rows/infer', 'POST'],
    ['PUT', '/v2/models/rows/versions/1/infer', 'POST'],
    ['POST', '/v2/health/live', 'GET, HEAD'],
    ['DELETE', '/v2/models/rows', 'GET, HEAD'],
  ])('%s %s answers 405 and allows %s', async (method, path, allow) => {
    const { url } = await serve();
    const body = method === 'GET' ? {} : { body: 'ignored' };
    const response = await fetch(`${url}${path}?x=1`, { method, ...body });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    expect(await response.json()).toMatchObject({
      code: 'METHOD_NOT_ALLOWED',
      error: `${path}: expected ${allow.replace(', ', ' or ')}, got ${method}`,
    });
  });

  it('with malformed percent-encoding answer 400 on both sides', async () => {
    const { url } = await serve();
    for (const [method, path] of [
      ['POST', '/v2/models/%zz/infer'],
      ['GET', '/v2/models/%zz'],
      ['GET', '/v2/models/%ff/ready'],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'INVALID_INPUT' });
    }
  });

  it('discard the body of a refused request, however long', async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/v2/nothing`, { method: 'POST', body: new Uint8Array(8 << 20) });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('broken HTTP', () => {
  it('is answered with 400 and closed, and other connections go on', async () => {
    const { port } = await serve();
    const other = await openRaw(port);
    const client = await openRaw(port);
    client.send('THIS IS NOT HTTP\r\n\r\n');
    const answer = await client.next();
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'INVALID_INPUT' });
    await client.closed;
    other.send(rawRequest('POST', '/v2/models/rows/infer', JSON_TYPE, ROW));
    expect((await other.next()).status).toBe(200);
  });

  it('waits for the answers to what came before it', async () => {
    const { model, waiting } = createHeldModel();
    const { port } = await serve([model]);
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW));
    await expect.poll(() => waiting.length).toBe(1);
    client.send('THIS IS NOT HTTP\r\n\r\n');
    client.send('NOR THIS\r\n\r\n');
    setTimeout(() => waiting[0]?.(), 20);
    expect((await client.next()).status).toBe(200);
    expect((await client.next()).status).toBe(400);
    await client.closed;
  });

  it('within a body is answered with 400', async () => {
    const { port } = await serve();
    const client = await openRaw(port);
    client.send(rawRequest('POST', '/v2/models/rows/infer', { 'transfer-encoding': 'chunked' }));
    client.send('zz\r\nnot a chunk\r\n');
    expect((await client.next()).status).toBe(400);
    await client.closed;
  });

  it('without a host is answered with 400 in the shape of every error, but for HTTP/1.0', async () => {
    const { port } = await serve();
    const client = await openRaw(port);
    client.send('GET /v2/health/live HTTP/1.1\r\n\r\n');
    const { status, body } = await client.next();
    expect(status).toBe(400);
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'INVALID_INPUT', details: { where: 'host' } });
    const old = await openRaw(port);
    old.send('GET /v2/health/live HTTP/1.0\r\n\r\n');
    expect((await old.next()).status).toBe(200);
  });

  it('with heads over the limit is answered with 431', async () => {
    const { port } = await serve();
    const client = await openRaw(port);
    client.send(rawRequest('GET', '/v2', { 'x-filler': 'x'.repeat(20_000) }));
    expect((await client.next()).status).toBe(431);
    await client.closed;
  });

  it('with two lengths, or a length and chunks, is refused: proxies may read it otherwise', async () => {
    const { port } = await serve();
    for (const lines of [
      'content-length: 5\r\ncontent-length: 6',
      'content-length: 5\r\ntransfer-encoding: chunked',
    ]) {
      const client = await openRaw(port);
      client.send(`POST /v2/models/rows/infer HTTP/1.1\r\nhost: test\r\n${lines}\r\n\r\n`);
      expect((await client.next()).status).toBe(400);
      await client.closed;
    }
  });

  it('whose head does not arrive is answered with 408', async () => {
    const { port } = await serve(undefined, { receiveTimeoutMs: 100 });
    const client = await openRaw(port);
    client.send('POST /v2/models/rows/infer HTTP/1.1\r\nhost:');
    expect((await client.next()).status).toBe(408);
    await client.closed;
  });
});

describe('pipelined requests', () => {
  it('are worked on a few at a time, and all are answered in their order', async () => {
    const { model, waiting } = createHeldModel();
    const { port } = await serve([model]);
    const client = await openRaw(port);
    const requests = Array.from({ length: 40 }, (_, i) =>
      rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW.replace('{', `{"id":"${i}",`)),
    );
    client.send(Buffer.concat(requests));
    await expect.poll(() => waiting.length).toBe(9);
    for (let i = 0; i < 40; i += 1) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0);
      expect(waiting.length).toBeLessThanOrEqual(9);
      waiting.shift()?.();
      expect(JSON.parse((await client.next()).body.toString())).toMatchObject({ id: String(i) });
    }
  });

  it('are all answered when the server drains', async () => {
    const { model, waiting } = createHeldModel();
    const { port, server } = await serve([model]);
    const client = await openRaw(port);
    client.send(
      Buffer.concat(
        Array.from({ length: 20 }, () => rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW)),
      ),
    );
    await expect.poll(() => waiting.length).toBe(9);
    const closing = server.close({ graceMs: 60_000 });
    for (let i = 0; i < 20; i += 1) {
      await expect.poll(() => waiting.length).toBeGreaterThan(0);
      waiting.shift()?.();
      expect((await client.next()).headers.connection).toBe(i < 19 ? 'keep-alive' : 'close');
    }
    await client.closed;
    await closing;
  });
});

describe('listen', () => {
  it('says what to do where the port is busy', async () => {
    const { port } = await serve();
    const second = createHttpServer(createFakeDeps([]));
    await expect(second.listen('127.0.0.1', port)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/busy.*--http-port.*ss -ltnp/),
    });
    await second.close({ graceMs: 0 });
  });

  it('says what to do where the address is none of ours', async () => {
    const server = createHttpServer(createFakeDeps([]));
    const refused = server.listen('192.0.2.1', 0);
    await expect(refused).rejects.toThrow(NimifyError);
    await expect(refused).rejects.toThrow(/--host/);
  });
});

describe('draining', () => {
  it('reads what has arrived before it closes anything', async () => {
    const { port, server } = await serve();
    const known = await openRaw(port);
    known.send(rawRequest('GET', '/v2/health/live'));
    await known.next();
    const fresh = await openRaw(port);
    // Nothing is read until this test waits for something: both requests lie in the system's buffers.
    for (const client of [known, fresh]) {
      client.send(rawRequest('POST', '/v2/models/rows/infer', JSON_TYPE, ROW));
    }
    const closing = server.close({ graceMs: 60_000 });
    expect((await known.next()).status).toBe(200);
    expect((await fresh.next()).status).toBe(200);
    await closing;
  });

  it('closes idle connections, and ends the others with their answer', async () => {
    const { model, waiting } = createHeldModel();
    const { port, server } = await serve([model, { name: 'rows' }]);
    const idle = await openRaw(port);
    idle.send(rawRequest('GET', '/v2/health/live'));
    expect((await idle.next()).headers.connection).toBe('keep-alive');
    const busy = await openRaw(port);
    busy.send(rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW));
    await expect.poll(() => waiting.length).toBe(1);

    server.startDraining();
    await idle.closed;
    const late = await openRaw(port);
    late.send(rawRequest('POST', '/v2/models/rows/infer', JSON_TYPE, ROW));
    expect(await late.next()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await late.closed;
    waiting[0]?.();
    expect(await busy.next()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await busy.closed;
  });

  it('ends within close: what runs is answered, nothing new is taken', async () => {
    const { model, waiting } = createHeldModel();
    const { port, server } = await serve([model]);
    await openRaw(port);
    const busy = await openRaw(port);
    busy.send(rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW));
    await expect.poll(() => waiting.length).toBe(1);
    const closing = server.close({ graceMs: 60_000 });
    waiting[0]?.();
    expect((await busy.next()).status).toBe(200);
    await closing;
    const reuse = createServer();
    await new Promise<void>((resolve) => reuse.listen(port, '127.0.0.1', resolve));
    reuse.close();
  });

  it('tells probes and new requests the truth while what runs is finished', async () => {
    const { model, waiting } = createHeldModel();
    const { port, server, deps } = await serve([model, { name: 'rows' }]);
    const busy = await openRaw(port);
    busy.send(rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW));
    await expect.poll(() => waiting.length).toBe(1);
    deps.registry.startDraining();
    const closing = server.close({ graceMs: 60_000 });

    const ask = async (...request: Parameters<typeof rawRequest>) => {
      const client = await openRaw(port);
      client.send(rawRequest(...request));
      const { status, headers } = await client.next();
      return [status, headers.connection];
    };
    expect(await ask('GET', '/v2/health/live')).toEqual([200, 'close']);
    expect(await ask('GET', '/v2/health/ready')).toEqual([400, 'close']);
    // What had been sent before is still served, and what comes in the same breath.
    const late = () => ask('POST', '/v2/models/rows/infer', JSON_TYPE, ROW);
    await expect.poll(late).toEqual([503, 'close']);
    waiting[0]?.();
    expect((await busy.next()).status).toBe(200);
    await closing;
  });

  it('is bounded: what does not end is cut, and cancelled', async () => {
    const { model, waiting } = createHeldModel();
    const { port, server, deps } = await serve([model]);
    const busy = await openRaw(port);
    busy.send(rawRequest('POST', '/v2/models/held/infer', JSON_TYPE, ROW));
    await expect.poll(() => waiting.length).toBe(1);
    await server.close({ graceMs: 10 });
    await busy.closed;
    waiting[0]?.();
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED', model: 'held' }]);
  });
});

it('gives the place of a connection away when it has closed', async () => {
  let inside = 0;
  const door = { entered: () => void inside++, left: () => void inside-- };
  const server = createHttpServer({
    ...createFakeDeps([{ name: 'rows' }]),
    connectionRoom: { open: () => door },
  });
  servers.push(server);
  const { port } = await server.listen('127.0.0.1', 0);
  for (const request of [
    rawRequest('POST', '/v2/models/rows/infer', JSON_TYPE, ROW),
    rawRequest('GET', '/v2/health/live'),
  ]) {
    const client = await openRaw(port);
    client.send(request);
    expect((await client.next()).status).toBe(200);
    expect(inside).toBe(1);
    client.socket.destroy();
    await vi.waitFor(() => expect(inside).toBe(0));
  }
});
