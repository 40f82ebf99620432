import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { ROWS_OF_FOUR } from '../../../registry/fake-served.ts';
import type { HttpOptions } from '../deps.ts';
import { echo, type FakeServedOptions } from '../fake-registry.ts';
import { rawRequest } from '../raw-client.ts';
import {
  ask,
  closeAll,
  createHeld,
  idOf,
  QUICK,
  ROWS,
  readAlone,
  rows,
  turns,
  WAYS,
} from './reader-alone.ts';

afterEach(closeAll);

describe.each(WAYS)('a reader that reads %s', (way) => {
  const read = (models: readonly FakeServedOptions[], options: Partial<HttpOptions> = {}) =>
    readAlone(way, models, options);

  describe('a reader', () => {
    it('answers one inference after the other itself', async () => {
      const { client, deps, handedOver, state } = await read([ROWS, QUICK]);
      const one = await client();
      for (const model of ['rows', 'quick', 'rows', 'quick', 'quick']) {
        one.send(ask(model));
        expect((await one.next()).status).toBe(200);
      }
      expect(handedOver()).toEqual([]);
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
      // What is handed over stays what it was when others send.
      const two = await client();
      two.send(ask('quick', rows(100)));
      expect((await two.next()).status).toBe(200);
      expect(handedOver()).toEqual([other.toString() + ask('quick').toString()]);
    });

    it('hands over requests behind one that takes time, together with it', async () => {
      const { client, handedOver, deps } = await read([ROWS, QUICK]);
      const one = await client();
      one.send(Buffer.concat([ask('quick'), ask('rows'), ask('quick')]));
      expect((await one.next()).status).toBe(200);
      await one.closed;
      expect(handedOver()).toEqual([ask('rows').toString() + ask('quick').toString()]);
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
      expect(handedOver()).toEqual([ask('none').subarray(0, -5).toString(), large.toString()]);
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

    it('loses a connection to a fault of ours, and nothing else', async () => {
      const { client, deps } = await read([QUICK, ROWS]);
      const { end } = deps.instruments;
      let isBroken = true;
      deps.instruments.end = (outcome) => {
        if (isBroken) throw new Error('a fault');
        end(outcome);
      };
      for (const model of ['quick', 'rows']) {
        const one = await client();
        one.send(ask(model));
        await one.closed;
      }
      expect(deps.logged).toMatchObject([
        { fields: { err: { message: 'a fault' } } },
        { fields: { err: { message: 'a fault' } } },
      ]);
      isBroken = false;
      const other = await client();
      other.send(ask('quick'));
      expect((await other.next()).status).toBe(200);
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
      expect(handedOver()).toEqual([]);
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
      expect(handedOver()).toEqual([ask('quick').toString()]);
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
});
