/** What becomes of answers when the server ends a connection (RFC 9113, 6.8). */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { connectFrames, goawayOf } from '../../support/http2-client.ts';
import { SETTING, TYPE, windowUpdate } from '../../support/http2-frames.ts';
import { call, message, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { createTlsFixture } from '../../support/tls-fixture.ts';
import { turns } from './judge.ts';

describe('a server that leaves', () => {
  const fixture = createTlsFixture();
  afterAll(() => fixture.remove());
  const wide = { settings: [[SETTING.initialWindowSize, 2 ** 31 - 1]] as const };
  const secure = { ca: fixture.ca.cert, servername: 'localhost' };

  it('sends all of what it has answered, however slowly it is read', async () => {
    const leaving = await serveHttp2();
    const client = await connectFrames(leaving.port, wide);
    client.write(windowUpdate(0, 2 ** 30));
    await client.isAlive();
    client.socket.pause();
    const ids = Array.from({ length: 60 }, (_, at) => 2 * at + 1);
    for (const id of ids) client.write(call(id, message('long', { rows: 10_000 })));
    await vi.waitFor(() => expect(leaving.outcomes).toHaveLength(ids.length));
    const closed = leaving.close({ graceMs: 1e8 });
    // It reads a little now and then.
    client.socket.on('data', () => {
      client.socket.pause();
      setTimeout(() => client.socket.resume(), 2);
    });
    client.socket.resume();
    for (const id of ids) expect(verdictOf(await client.outcome(id))).toBe('answered long');
    await client.closed;
    expect(goawayOf(client)).toBe('NO_ERROR');
    await closed;
  });

  it.each([
    ['in clear text', false],
    ['over TLS', true],
  ])('because of its age does too, %s', async (_what, isSecure) => {
    const tls = isSecure ? await fixture.serverTls() : undefined;
    // Of one of these numbers the last answers wait in the server when it has nothing more to do.
    for (let count = 1; count <= 12; count += 1) {
      const leaving = await serveHttp2({ maxConnectionAgeMs: 20 }, tls);
      const client = await connectFrames(leaving.port, isSecure ? { ...wide, secure } : wide);
      const ids = Array.from({ length: count }, (_, at) => 2 * at + 1);
      client.write(windowUpdate(0, 2 ** 30));
      for (const id of ids) client.write(call(id, message('long', { rows: 50_000, model: 'held' })));
      await vi.waitFor(() => expect(leaving.held).toHaveLength(count));
      // Those that run are the last that it takes.
      await client.waitFor(
        ({ type, payload }) => type === TYPE.goaway && payload.readUInt32BE(0) === ids.at(-1),
      );
      client.socket.pause();
      leaving.release();
      await turns(30);
      client.socket.resume();
      for (const id of ids) expect(verdictOf(await client.outcome(id))).toBe('answered long');
      await client.closed;
      await leaving.close();
    }
    tls?.stop();
  });
});
