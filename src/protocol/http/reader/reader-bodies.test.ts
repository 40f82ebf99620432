import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { InferRequest, InferResponse } from '../../../model/request.ts';
import { ROWS_OF_FOUR } from '../../../registry/fake-served.ts';
import type { HttpOptions } from '../deps.ts';
import { echo, type FakeServedOptions } from '../fake-registry.ts';
import { type RawAnswer, type RawClient, rawRequest } from '../raw-client.ts';
import { closeAll, readAlone, turns, WAYS } from './reader-alone.ts';

afterEach(closeAll);

describe.each(WAYS)('a reader that reads %s', (way) => {
  const read = (models: readonly FakeServedOptions[], options: Partial<HttpOptions> = {}) =>
    readAlone(way, models, options);

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

    it('are whole where one follows the other at once', async () => {
      const { client } = await read([{ name: 'kept', inferNow: (request) => echo(request, ROWS_OF_FOUR) }]);
      const one = await client();
      const all = ['a', 'bb', 'ccc'].map(binary);
      one.send(Buffer.concat(all.map(({ bytes }) => bytes)));
      for (const { data } of all) {
        const { body, headers } = await one.next();
        expect(body.subarray(Number(headers['inference-header-content-length'])).equals(data)).toBe(true);
      }
    });

    it('are what they were until their answers are taken where memory is short, and given back at once', async () => {
      const seen: ArrayBufferLike[] = [];
      const infer = async (request: InferRequest) => {
        seen.push((request.inputs[0]!.data as Float32Array).buffer);
        return echo(request, ROWS_OF_FOUR);
      };
      const { client, pool } = await readAlone(way, [{ name: 'kept', infer }], {}, () => true);
      const one = await client();
      one.socket.pause();
      const all = ['a', 'bb', 'ccc'].map(binary);
      one.send(Buffer.concat(all.map(({ bytes }) => bytes)));
      await turns();
      one.socket.resume();
      for (const { data } of all) {
        const { body, headers } = await one.next();
        expect(body.subarray(Number(headers['inference-header-content-length'])).equals(data)).toBe(true);
      }
      await expect.poll(() => seen.map(({ byteLength }) => byteLength)).toEqual([0, 0, 0]);
      expect(pool.keptBytes).toBe(0);
    });

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

  describe('small bodies, which are read into one place', () => {
    /** `fill` in all elements; `pad` moves them, so that they lie aligned in one of four cases. */
    function filled(fill: number, count: number, pad: number): Buffer {
      const data = Buffer.from(new Float32Array(count * 4).fill(fill).buffer);
      const x = {
        name: 'x',
        datatype: 'FP32',
        shape: [count, 4],
        parameters: { binary_data_size: data.length },
      };
      const json = Buffer.from(
        JSON.stringify({ inputs: [x], parameters: { binary_data_output: true } }) + ' '.repeat(pad),
      );
      const headers = { 'inference-header-content-length': json.length };
      return rawRequest('POST', '/v2/models/m/infer', headers, Buffer.concat([json, data]));
    }
    const floatsOf = ({ body, headers }: Pick<RawAnswer, 'body' | 'headers'>) => {
      const bytes = Buffer.from(body.subarray(Number(headers['inference-header-content-length'])));
      return new Float32Array(new Uint8Array(bytes).buffer);
    };
    const elementsOf = (answer: Pick<RawAnswer, 'body' | 'headers'>) => new Set(floatsOf(answer));

    it.each([0, 1, 2, 3])('stay what they were while a model works and others send (%d)', async (pad) => {
      const waiting: { readonly request: InferRequest; answer(): void }[] = [];
      const infer = (request: InferRequest) =>
        new Promise<InferResponse>((resolve) =>
          waiting.push({ request, answer: () => resolve(echo(request, ROWS_OF_FOUR)) }),
        );
      const { client } = await read([{ name: 'm', infer, inferNow: () => undefined }]);
      const clients = await Promise.all([1, 2, 3].map(client));
      for (const [at, one] of clients.entries()) {
        one.send(filled(at + 1, 500, pad));
        await expect.poll(() => waiting.length).toBe(at + 1);
      }
      for (const { answer } of waiting) answer();
      for (const [at, one] of clients.entries())
        expect(elementsOf(await one.next())).toEqual(new Set([at + 1]));
    });

    const CASES = [0, 1, 2, 3].flatMap((pad) => [
      ['short', 900, pad] as const,
      ['longer', 2000, pad] as const,
    ]);
    it.each(CASES)(
      'stay what they were until a %s answer that is a view over them is taken (%d, %d)',
      async (_what, count, pad) => {
        const { client } = await read([{ name: 'm', inferNow: (request) => echo(request, ROWS_OF_FOUR) }]);
        const [slow, other] = [await client(), await client()];
        slow.socket.pause();
        const sent = Buffer.from(new Float32Array(count * 4).fill(1).buffer);
        // More than most systems take at once: the last of them wait in this process.
        const times = Math.ceil((12 << 20) / sent.length);
        slow.send(Buffer.concat(Array<Buffer>(times).fill(filled(1, count, pad))));
        await turns();
        other.send(filled(2, count, pad));
        expect(elementsOf(await other.next())).toEqual(new Set([2]));
        slow.socket.resume();
        for (let i = 0; i < times; i += 1) {
          const { body } = await slow.next();
          expect(body.subarray(-sent.length).equals(sent)).toBe(true);
        }
      },
    );

    it('stay what they were while an answer that is a view over them is compressed', async () => {
      const { client } = await read([{ name: 'm', inferNow: (request) => echo(request, ROWS_OF_FOUR) }]);
      const accept = (bytes: Buffer) =>
        Buffer.from(
          bytes.toString('latin1').replace('\r\n\r\n', '\r\naccept-encoding: gzip\r\n\r\n'),
          'latin1',
        );
      const clients = await Promise.all([1, 2, 3, 4].map(client));
      for (const [at, one] of clients.entries()) one.send(accept(filled(at + 1, 500, at)));
      for (const [at, one] of clients.entries()) {
        const answer = await one.next();
        expect(answer.headers['content-encoding']).toBe('gzip');
        expect(elementsOf({ ...answer, body: gunzipSync(answer.body) })).toEqual(new Set([at + 1]));
      }
    });

    it('and beginnings of heads are kept apart', async () => {
      const { client } = await read([{ name: 'm', inferNow: (request) => echo(request, ROWS_OF_FOUR) }]);
      const clients = await Promise.all([1, 2, 3].map(client));
      const requests = clients.map((_, at) => filled(at + 1, 10, at));
      for (const part of [0, 1, 2]) {
        for (const [at, one] of clients.entries()) {
          const bytes = requests[at]!;
          one.send(bytes.subarray([0, 30, 80][part], [30, 80][part]));
          await turns();
        }
      }
      for (const [at, one] of clients.entries())
        expect(elementsOf(await one.next())).toEqual(new Set([at + 1]));
    });
  });
});
