import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createFakeClock } from '../../../base/util/fake-clock.ts';
import type { RequestContext } from '../../../model/context.ts';
import type { InferRequest } from '../../../model/request.ts';
import { createBodyPool } from '../body-pool.ts';
import type { HttpOptions } from '../deps.ts';
import { createFakeDeps, echo, type FakeServedOptions, ROWS_OF_FOUR } from '../fake-registry.ts';
import { openRaw, type RawAnswer, type RawClient, rawRequest } from '../raw-client.ts';
import { createReader, type Reader } from './reader.ts';

const open: { readonly server: Server; readonly reader: Reader }[] = [];
afterEach(() => {
  for (const { server, reader } of open.splice(0)) {
    reader.stop();
    reader.destroyAll();
    server.close();
  }
});

const KEEP_ALIVE_MS = 1000;
const POISON = 0x77;

/** A reader alone: what it hands over is noted and answered with a word. */
async function read(models: readonly FakeServedOptions[], options: Partial<HttpOptions> = {}) {
  const clock = createFakeClock();
  const deps = { ...createFakeDeps(models, { receiveTimeoutMs: 400, ...options }), clock };
  const handedOver: string[] = [];
  const state = { draining: false, requests: 0 };
  // Whoever looks at a buffer after it was given back sees that.
  const onGive = (buffer: ArrayBuffer) => new Uint8Array(buffer).fill(POISON);
  const pool = createBodyPool({ clock, onGive });
  const reader = createReader(deps, {
    pool,
    keepAliveMs: KEEP_ALIVE_MS,
    checkIntervalMs: 100,
    isDraining: () => state.draining,
    onRequest() {
      state.requests += 1;
    },
    handOver(socket: Socket, bytes: Uint8Array) {
      handedOver.push(Buffer.from(bytes).toString('latin1'));
      socket.end('handed over');
    },
  });
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    reader.take(socket);
  });
  open.push({ server, reader });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = () => openRaw((server.address() as AddressInfo).port);
  return { deps, clock, pool, reader, state, sockets, handedOver, client };
}

function rows(count: number, fields: object = {}): string {
  const data = Array.from({ length: count * 4 }, (_, i) => i);
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [count, 4], data }], ...fields });
}

const ask = (model: string, body = rows(1), headers: Record<string, string> = {}) =>
  rawRequest('POST', `/v2/models/${model}/infer`, headers, body);

const ROWS: FakeServedOptions = { name: 'rows' };
const QUICK: FakeServedOptions = { name: 'quick', inferNow: (request) => echo(request, ROWS_OF_FOUR) };

/** A model that answers when told to. */
function createHeld() {
  const waiting: { readonly context: RequestContext; answer(): void }[] = [];
  const model: FakeServedOptions = {
    name: 'held',
    infer: (request, context) =>
      new Promise((resolve) => waiting.push({ context, answer: () => resolve(echo(request, ROWS_OF_FOUR)) })),
  };
  return { model, waiting };
}

/** Lets the event loop go round, so that what was sent has been read. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setTimeout(resolve, 1));
}

function idOf(answer: RawAnswer): unknown {
  return (JSON.parse(answer.body.toString()) as { id?: unknown }).id;
}

describe('a reader', () => {
  it('answers one inference after the other itself', async () => {
    const { client, deps, handedOver, state } = await read([ROWS, QUICK]);
    const one = await client();
    for (const model of ['rows', 'quick', 'rows', 'quick', 'quick']) {
      one.send(ask(model));
      expect((await one.next()).status).toBe(200);
    }
    expect(handedOver).toEqual([]);
    expect(state.requests).toBe(5);
    expect(deps.outcomes.map(({ code, model }) => `${code} ${model}`)).toEqual(
      ['rows', 'quick', 'rows', 'quick', 'quick'].map((model) => `OK ${model}`),
    );
  });

  it('hands over what is something else, all of it and after its own answers', async () => {
    const { client, handedOver } = await read([QUICK]);
    const one = await client();
    const other = rawRequest('GET', '/v2/health/live');
    one.send(Buffer.concat([ask('quick'), ask('quick'), other, ask('quick')]));
    expect([(await one.next()).status, (await one.next()).status]).toEqual([200, 200]);
    await one.closed;
    expect(handedOver).toEqual([other.toString() + ask('quick').toString()]);
  });

  it('hands over requests behind one that takes time, together with it', async () => {
    const { client, handedOver, deps } = await read([ROWS, QUICK]);
    const one = await client();
    one.send(Buffer.concat([ask('quick'), ask('rows'), ask('quick')]));
    expect((await one.next()).status).toBe(200);
    await one.closed;
    expect(handedOver).toEqual([ask('rows').toString() + ask('quick').toString()]);
    expect(deps.outcomes.map(({ code }) => code)).toEqual(['OK']);
  });

  it('hands over unknown models and bodies over the limit before it reads them', async () => {
    const { client, handedOver } = await read([ROWS], { maxBodyBytes: 100 });
    const large = ask('rows', 'x'.repeat(101)).subarray(0, -60);
    for (const bytes of [ask('none').subarray(0, -5), large]) {
      const one = await client();
      one.send(bytes);
      await one.closed;
    }
    expect(handedOver).toEqual([ask('none').subarray(0, -5).toString(), large.toString()]);
  });

  it('leaves requests that come while a model works until it is done', async () => {
    const { model, waiting } = createHeld();
    const { client } = await read([model]);
    const one = await client();
    one.send(ask('held', rows(1, { id: 'a' })));
    await expect.poll(() => waiting.length).toBe(1);
    one.send(ask('held', rows(1, { id: 'b' })));
    await turns();
    expect(waiting.length).toBe(1);
    waiting[0]?.answer();
    expect(idOf(await one.next())).toBe('a');
    await expect.poll(() => waiting.length).toBe(2);
    waiting[1]?.answer();
    expect(idOf(await one.next())).toBe('b');
  });

  it('reads no further ahead than it must', async () => {
    const { model, waiting } = createHeld();
    const { client, sockets } = await read([model]);
    const one = await client();
    one.send(ask('held'));
    await expect.poll(() => waiting.length).toBe(1);
    one.send(Buffer.alloc(32 << 20, 'x'));
    await expect.poll(() => sockets[0]?.isPaused()).toBe(true);
    expect(sockets[0]?.bytesRead).toBeLessThan(1 << 20);
  });

  it('compresses answers where the client likes it', async () => {
    const { client, handedOver } = await read([ROWS, QUICK]);
    const one = await client();
    for (const model of ['rows', 'quick']) {
      one.send(ask(model, rows(500), { 'accept-encoding': 'gzip' }));
      const { headers, body } = await one.next();
      expect(headers['content-encoding']).toBe('gzip');
      expect(JSON.parse(gunzipSync(body).toString())).toMatchObject({ outputs: [{ shape: [500, 4] }] });
    }
    expect(handedOver).toEqual([]);
  });

  it.each([1000, 30_000, 300_000])(
    'writes answers of %d rows, and lets go of their buffers',
    async (count) => {
      let freed = 0;
      const binary = { parameters: { binary_data_output: true } };
      const large: FakeServedOptions = {
        name: 'large',
        inferNow(request) {
          const response = echo(request, ROWS_OF_FOUR);
          const release = () => {
            freed += 1;
            response.owner.release();
          };
          const data = Float32Array.from({ length: count * 4 }, (_, i) => i);
          const outputs = [{ ...response.outputs[0]!, shape: [count, 4], data }];
          return { ...response, outputs, owner: { ...response.owner, release } };
        },
      };
      const { client, reader } = await read([large]);
      const one = await client();
      for (let i = 1; i <= 3; i += 1) {
        one.send(ask('large', rows(1, binary)));
        const { body, headers } = await one.next();
        const tail = Buffer.from(body.subarray(Number(headers['inference-header-content-length'])));
        expect(tail.length).toBe(count * 16);
        expect(tail.readFloatLE(tail.length - 4)).toBe(count * 4 - 1);
        await expect.poll(() => freed).toBe(i);
      }
      await reader.whenQuiet();
    },
  );

  it('lets go of the buffers of an answer that is never taken', async () => {
    let freed = 0;
    const large: FakeServedOptions = {
      name: 'large',
      inferNow(request) {
        const response = echo(request, ROWS_OF_FOUR);
        const release = () => {
          freed += 1;
        };
        const outputs = [{ ...response.outputs[0]!, shape: [1 << 20, 4], data: new Float32Array(1 << 22) }];
        return { ...response, outputs, owner: { ...response.owner, release } };
      },
    };
    const { client } = await read([large]);
    const one = await client();
    one.socket.pause();
    one.send(ask('large', rows(1, { parameters: { binary_data_output: true } })));
    await turns();
    expect(freed).toBe(0);
    one.socket.destroy();
    await expect.poll(() => freed).toBe(1);
  });

  it('answers a client that pipelines and does not read only as fast as it reads', async () => {
    let asked = 0;
    const count: FakeServedOptions = {
      name: 'count',
      inferNow(request) {
        asked += 1;
        return echo(request, ROWS_OF_FOUR);
      },
    };
    const { client, sockets } = await read([count]);
    const one = await client();
    one.socket.pause();
    const requests = Array.from({ length: 3000 }, (_, i) => ask('count', rows(250, { id: String(i) })));
    one.send(Buffer.concat(requests));
    await turns();
    expect(asked).toBeLessThan(2900);
    expect(sockets[0]?.writableLength).toBeLessThan(200_000);
    one.socket.resume();
    for (let i = 0; i < requests.length; i += 1) expect(idOf(await one.next())).toBe(String(i));
  });
});

describe('large bodies', () => {
  const ROWS_SENT = 40_000;
  function binary(id: string): { readonly bytes: Buffer; readonly data: Buffer } {
    const data = Buffer.from(Float32Array.from({ length: ROWS_SENT * 4 }, (_, i) => i + id.length).buffer);
    const x = {
      name: 'x',
      datatype: 'FP32',
      shape: [ROWS_SENT, 4],
      parameters: { binary_data_size: data.length },
    };
    const json = Buffer.from(JSON.stringify({ id, inputs: [x], parameters: { binary_data_output: true } }));
    const headers = { 'inference-header-content-length': json.length };
    const body = Buffer.concat([json, data]);
    return { bytes: rawRequest('POST', '/v2/models/kept/infer', headers, body), data };
  }

  it.each(['now', 'later'] as const)(
    'are read into the same memory again, not before their answers are taken (%s)',
    async (when) => {
      const buffers: ArrayBufferLike[] = [];
      const note = (request: InferRequest) => {
        buffers.push((request.inputs[0]!.data as Float32Array).buffer);
        // The answer is a view over the request.
        return echo(request, ROWS_OF_FOUR);
      };
      const kept: FakeServedOptions =
        when === 'now'
          ? { name: 'kept', inferNow: note }
          : { name: 'kept', infer: async (request) => note(request) };
      const { client, pool } = await read([kept]);
      const one = await client();
      for (const id of ['a', 'bb', 'ccc']) {
        const { bytes, data } = binary(id);
        one.send(bytes);
        const { body, headers } = await one.next();
        const tail = body.subarray(Number(headers['inference-header-content-length']));
        expect(tail.equals(data)).toBe(true);
        await expect.poll(() => pool.keptBytes).toBeGreaterThan(data.length);
      }
      expect(new Set(buffers).size).toBe(1);
    },
  );

  it('keep their memory while a cancelled run still looks at it', async () => {
    let look = (): number => 0;
    let finish = () => {};
    const kept: FakeServedOptions = {
      name: 'kept',
      infer(request, context) {
        // As an engine does whose run cannot be stopped.
        request.owner.retain();
        const data = request.inputs[0]?.data as Float32Array;
        look = () => data[1] ?? Number.NaN;
        finish = () => request.owner.release();
        return new Promise((_, reject) => context.cancel.on(() => reject(new Error('cancelled'))));
      },
    };
    const { client, pool, deps } = await read([kept]);
    const one = await client();
    one.send(binary('a').bytes);
    await expect.poll(() => look()).toBe(2);
    one.socket.destroy();
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED' }]);
    expect([look(), pool.keptBytes]).toEqual([2, 0]);
    finish();
    expect(pool.keptBytes).toBeGreaterThan(0);
    expect(look()).not.toBe(2);
  });

  it('give their memory back where they are wrong, stall or break off', async () => {
    const { client, pool, clock } = await read([{ name: 'kept' }]);
    const { bytes } = binary('a');
    const wrong = Buffer.from(bytes);
    wrong.write('INT8', wrong.indexOf('FP32'));
    const first = await client();
    first.send(wrong);
    expect((await first.next()).status).toBe(400);
    expect(pool.keptBytes).toBeGreaterThan(0);
    for (const end of [() => clock.advance(400), (one: RawClient) => one.socket.destroy()]) {
      const one = await client();
      one.send(bytes.subarray(0, -1));
      await expect.poll(() => pool.keptBytes).toBe(0);
      end(one);
      await one.closed;
      await expect.poll(() => pool.keptBytes).toBeGreaterThan(0);
    }
  });
});

describe('clients that stop', () => {
  it('before a request are refused after the time for a head', async () => {
    const { client, clock } = await read([QUICK]);
    const one = await client();
    await turns();
    clock.advance(400);
    expect((await one.next()).status).toBe(408);
    await one.closed;
  });

  it('within a head are refused, however slowly they go on', async () => {
    const { client, clock } = await read([QUICK]);
    const one = await client();
    one.send(ask('quick'));
    await one.next();
    const bytes = ask('quick');
    for (let at = 0; at < 6; at += 1) {
      one.send(bytes.subarray(at, at + 1));
      await turns();
      clock.advance(100);
    }
    expect((await one.next()).status).toBe(408);
    await one.closed;
  });

  it('within a body are refused, and counted', async () => {
    const { client, clock, deps } = await read([QUICK]);
    const one = await client();
    one.send(ask('quick').subarray(0, -1));
    await turns();
    clock.advance(399);
    await turns();
    expect(deps.outcomes).toEqual([]);
    clock.advance(1);
    const answer = await one.next();
    expect([answer.status, answer.headers.connection]).toEqual([408, 'close']);
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      details: { where: 'body' },
    });
    await one.closed;
    expect(deps.outcomes).toMatchObject([{ code: 'REQUEST_TIMEOUT', model: 'quick' }]);
  });

  it('between requests are let go after the idle time, not before', async () => {
    const { client, clock } = await read([QUICK]);
    const one = await client();
    one.send(ask('quick'));
    await one.next();
    clock.advance(900);
    one.send(ask('quick'));
    expect((await one.next()).status).toBe(200);
    clock.advance(900);
    await turns();
    expect(one.socket.closed).toBe(false);
    clock.advance(300);
    await one.closed;
  });

  it('within a body, by leaving, are only counted', async () => {
    const { client, deps, clock } = await read([QUICK]);
    const one = await client();
    one.send(ask('quick').subarray(0, -1));
    await turns();
    one.socket.destroy();
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED', model: 'quick' }]);
    expect(deps.logged).toEqual([]);
    // The timer of the body is gone: what is left looks at the connections.
    expect(clock.pendingTimers).toBe(1);
  });

  it.each(['destroy', 'end'] as const)('while a model works, by %s, cancel it', async (how) => {
    const { model, waiting } = createHeld();
    const { client, deps } = await read([model]);
    const one = await client();
    one.send(ask('held'));
    await expect.poll(() => waiting.length).toBe(1);
    expect(waiting[0]?.context.cancel.cancelled).toBe(false);
    one.socket[how]();
    await expect.poll(() => waiting[0]?.context.cancel.reason).toBe('client-left');
    waiting[0]?.answer();
    await expect.poll(() => deps.outcomes).toMatchObject([{ code: 'CANCELLED', model: 'held' }]);
    expect(deps.logged).toEqual([]);
  });

  it('are told where there is no memory for their bodies', async () => {
    const { client, deps } = await read([QUICK], { maxBodyBytes: 2 ** 52 });
    const one = await client();
    one.send(rawRequest('POST', '/v2/models/quick/infer', { 'content-length': 9_999_999_999 }));
    await turns();
    one.send('x');
    const answer = await one.next();
    expect([answer.status, answer.headers.connection, answer.headers['retry-after']]).toEqual([
      429,
      'close',
      '1',
    ]);
    one.socket.end();
    await one.closed;
    expect(deps.outcomes).toMatchObject([{ code: 'OVERLOADED' }]);
  });
});

describe('a reader that is to end', () => {
  it('ends connections with the answer that is due, and hands over what comes then', async () => {
    const { model, waiting } = createHeld();
    const { client, reader, state, handedOver } = await read([model, QUICK]);
    const busy = await client();
    busy.send(ask('held'));
    await expect.poll(() => waiting.length).toBe(1);
    const late = await client();
    await turns();
    state.draining = true;
    let isQuiet = false;
    const quiet = reader.whenQuiet().then(() => {
      isQuiet = true;
    });
    late.send(ask('quick'));
    await late.closed;
    expect(handedOver).toEqual([ask('quick').toString()]);
    expect(isQuiet).toBe(false);
    waiting[0]?.answer();
    expect(await busy.next()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await Promise.all([busy.closed, quiet]);
  });

  it('waits for bodies that are coming', async () => {
    const { client, reader } = await read([QUICK]);
    const one = await client();
    one.send(ask('quick').subarray(0, -1));
    await turns();
    let isQuiet = false;
    const quiet = reader.whenQuiet().then(() => {
      isQuiet = true;
    });
    await turns();
    expect(isQuiet).toBe(false);
    one.send(ask('quick').subarray(-1));
    expect((await one.next()).status).toBe(200);
    await quiet;
  });

  it('closes connections that are idle, and only those', async () => {
    const { model, waiting } = createHeld();
    const { client, reader } = await read([model, QUICK]);
    const [idle, fresh, half, busy] = [await client(), await client(), await client(), await client()];
    idle.send(ask('quick'));
    await idle.next();
    half.send('POST /v2');
    busy.send(ask('held'));
    await expect.poll(() => waiting.length).toBe(1);
    reader.closeIdle();
    await idle.closed;
    waiting[0]?.answer();
    expect((await busy.next()).status).toBe(200);
    expect([fresh, half].map(({ socket }) => socket.closed)).toEqual([false, false]);
    reader.destroyAll();
    await Promise.all([fresh.closed, half.closed, busy.closed]);
  });
});
