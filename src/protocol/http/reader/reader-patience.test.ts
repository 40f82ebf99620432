import { afterEach, describe, expect, it } from 'vitest';
import type { HttpOptions } from '../deps.ts';
import type { FakeServedOptions } from '../fake-registry.ts';
import { rawRequest } from '../raw-client.ts';
import { ask, closeAll, createHeld, QUICK, readAlone, turns, WAYS } from './reader-alone.ts';

afterEach(closeAll);

describe.each(WAYS)('a reader that reads %s', (way) => {
  const read = (models: readonly FakeServedOptions[], options: Partial<HttpOptions> = {}) =>
    readAlone(way, models, options);

  describe('clients that stop', () => {
    it('before a request are refused after the time for a head', async () => {
      const { client, clock } = await read([QUICK]);
      const one = await client();
      await turns();
      clock.advance(400);
      expect((await one.next()).status).toBe(408);
      await one.closed;
    });

    it('before they have said anything are let go where room is needed, and nobody else', async () => {
      const { client, clock, reader } = await read([QUICK], { receiveTimeoutMs: 60_000 });
      const [silent, half, idle] = [await client(), await client(), await client()];
      half.send('POST /v2');
      idle.send(ask('quick'));
      await idle.next();
      clock.advance(499);
      expect(reader.closeSilent()).toBeCloseTo(1 / 3);
      clock.advance(1);
      const late = await client();
      // By then it has been accepted.
      idle.send(ask('quick'));
      await idle.next();
      expect(reader.closeSilent()).toBeCloseTo(2 / 4);
      await silent.closed;
      expect([half, idle, late].map(({ socket }) => socket.closed)).toEqual([false, false, false]);
      idle.send(ask('quick'));
      expect((await idle.next()).status).toBe(200);
    });

    it('before they have said anything are let go one by one, the oldest first', async () => {
      const { client, reader } = await read([QUICK]);
      const [idle, first, second] = [await client(), await client(), await client()];
      idle.send(ask('quick'));
      await idle.next();
      reader.closeOldestSilent();
      await first.closed;
      expect(second.socket.closed).toBe(false);
      reader.closeOldestSilent();
      await second.closed;
      reader.closeOldestSilent();
      idle.send(ask('quick'));
      expect((await idle.next()).status).toBe(200);
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
      const { client, deps, pool } = await read([QUICK]);
      pool.take = () => {
        throw new RangeError('Array buffer allocation failed');
      };
      const one = await client();
      one.send(rawRequest('POST', '/v2/models/quick/infer', { 'content-length': 1_000_000 }));
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
});
