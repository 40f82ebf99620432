/** How a connection begins (RFC 9113, 3.4), and how either side may end it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectFrames, type FrameClient, goawayOf } from '../../support/http2-client.ts';
import {
  data,
  FLAG,
  frame,
  goaway,
  headers,
  PREFACE,
  ping,
  settings,
  TYPE,
} from '../../support/http2-frames.ts';
import { callBlock } from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { createTlsFixture } from '../../support/tls-fixture.ts';
import { endOf, expectServing, turns } from './judge.ts';

const SILENT = { settings: undefined };
const BEGINNING = Buffer.concat([PREFACE, settings([]), call(1)]);

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

async function verdictFor(client: FrameClient): Promise<string> {
  const verdict = verdictOf(await client.outcome(1));
  client.destroy();
  return verdict;
}

describe('a connection', () => {
  it('may begin with everything at once', async () => {
    const client = await connectFrames(served.port, SILENT);
    client.write(BEGINNING);
    expect(await verdictFor(client)).toBe('answered a');
  });

  it('may come byte by byte', async () => {
    const client = await connectFrames(served.port, SILENT);
    for (const byte of BEGINNING) {
      await client.writeOut(Buffer.of(byte));
      await new Promise((turn) => setImmediate(turn));
    }
    expect(await verdictFor(client)).toBe('answered a');
  });

  it('may come in two pieces, cut anywhere', async () => {
    for (let at = 1; at < BEGINNING.length; at += 1) {
      const client = await connectFrames(served.port, SILENT);
      await client.writeOut(BEGINNING.subarray(0, at));
      await new Promise((turn) => setImmediate(turn));
      client.write(BEGINNING.subarray(at));
      expect(await verdictFor(client)).toBe('answered a');
    }
  });

  it('begins with the settings of the server, whatever the client says', async () => {
    const client = await connectFrames(served.port);
    await client.waitFor(({ type, flags }) => type === TYPE.settings && (flags & FLAG.ack) !== 0);
    expect(client.frames[0]).toMatchObject({ type: TYPE.settings, flags: 0, streamId: 0 });
    client.destroy();
  });

  it('over TLS is the same', async () => {
    const fixture = createTlsFixture();
    const secure = await serveHttp2({}, await fixture.serverTls());
    const client = await connectFrames(secure.port, {
      secure: { ca: fixture.ca.cert, servername: 'localhost' },
    });
    client.write(call(1), call(3, message('b', { rows: 1000 })));
    expect(verdictOf(await client.outcome(1))).toBe('answered a');
    expect(verdictOf(await client.outcome(3))).toBe('answered b');
    client.write(frame(TYPE.ping, 0, 1, Buffer.alloc(8)));
    expect(await client.isAlive()).toBe(false);
    client.destroy();
    await secure.close();
    fixture.remove();
  });
});

describe('what is no preface', () => {
  const wrong = (at: number) => {
    const bytes = Buffer.from(BEGINNING);
    bytes[at]! ^= 1;
    return bytes;
  };

  it.each(Array.from(PREFACE, (_, at) => at))('ends the connection: byte %i is another', async (at) => {
    const client = await connectFrames(served.port, SILENT);
    client.write(wrong(at));
    await client.closed;
    expect(client.frames.some(({ streamId }) => streamId === 1)).toBe(false);
    await expectServing(served.port);
  });

  it.each([
    ['a request of HTTP/1.1', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    [
      'a request to upgrade to h2c',
      'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n',
    ],
    ['a handshake of TLS', Buffer.from('1603010200010001fc0303', 'hex').toString('latin1').padEnd(60, '\0')],
    ['zeros', '\0'.repeat(100)],
    ['frames without a preface', settings([]).toString('latin1').repeat(3)],
  ])('ends the connection: %s', async (_what, text) => {
    const client = await connectFrames(served.port, SILENT);
    client.write(Buffer.from(text, 'latin1'));
    await client.closed;
    await expectServing(served.port);
  });

  it.each([
    ['PING', ping('x')],
    ['a call', call(1)],
    ['an ACK of settings', settings([], FLAG.ack)],
    ['a frame that nobody knows', frame(0xfa, 0, 0)],
  ])('ends the connection: %s before the settings', async (what, first) => {
    const client = await connectFrames(served.port, SILENT);
    client.write(PREFACE, first);
    if (what === 'an ACK of settings') client.write(ping('x'));
    await client.waitFor(() => false);
    expect(['connection PROTOCOL_ERROR', 'closed']).toContain(await endOf(client));
    client.destroy();
  });

  it('and breaks off is forgotten', async () => {
    for (let length = 0; length < PREFACE.length; length += 1) {
      const client = await connectFrames(served.port, SILENT);
      client.write(PREFACE.subarray(0, length));
      client.socket.end();
      await client.closed;
    }
    await expectServing(served.port);
  });
});

describe('a client that leaves', () => {
  const slow = message('slow', { model: 'held' });

  async function withCall(): Promise<FrameClient> {
    const before = served.held.length;
    const client = await connectFrames(served.port);
    client.write(call(1, slow));
    await vi.waitFor(() => expect(served.held).toHaveLength(before + 1));
    return client;
  }

  it('without a word gives its places away', async () => {
    const client = await withCall();
    client.destroy();
    await vi.waitFor(() => expect(served.held.at(-1)?.cancel.cancelled).toBe(true));
    served.release();
    await expectServing(served.port);
  });

  it('closes its half, and is answered or gives its places away', async () => {
    const client = await withCall();
    client.socket.end();
    await turns(5);
    served.release();
    const verdict = verdictOf(await client.outcome(1));
    if (verdict !== 'answered slow') {
      expect(client.isClosed).toBe(true);
      expect(served.held.at(-1)?.cancel.cancelled).toBe(true);
    }
    await client.closed;
  });

  it('says so with GOAWAY, and is answered what it has asked', async () => {
    const client = await withCall();
    client.write(goaway(0, 0));
    await client.isAlive();
    served.release();
    expect(['answered slow', 'nothing']).toContain(verdictOf(await client.outcome(1)));
    client.socket.end();
    await client.closed;
  });

  it.each([1, 2, 11, 0xffff_ffff])(
    'says so with GOAWAY and the error %i, and others are served',
    async (code) => {
      const client = await withCall();
      client.write(goaway(0, code));
      await turns(5);
      served.release();
      client.socket.end();
      await client.closed;
      await expectServing(served.port);
      expect(served.faults).toEqual([]);
    },
  );

  it('amid a frame is forgotten', async () => {
    for (const whole of [headers(1, callBlock()), data(1, message('a')), ping('x'), settings([[4, 1]])]) {
      for (const length of [1, 8, 9, whole.length - 1]) {
        const client = await connectFrames(served.port);
        client.write(headers(3, callBlock()), whole.subarray(0, length));
        client.socket.end();
        await client.closed;
      }
    }
    await expectServing(served.port);
    expect(served.faults).toEqual([]);
  });
});

describe('after an error of the connection', () => {
  it('calls that run are cancelled, and the client is told which were looked at', async () => {
    const before = served.held.length;
    const client = await connectFrames(served.port);
    client.write(call(5, message('slow', { model: 'held' })));
    await vi.waitFor(() => expect(served.held).toHaveLength(before + 1));
    client.write(frame(TYPE.ping, 0, 1, Buffer.alloc(8)));
    await client.waitFor(({ type }) => type === TYPE.goaway);
    if (goawayOf(client) !== undefined) {
      const said = client.frames.findLast(({ type }) => type === TYPE.goaway);
      expect([5, 2 ** 31 - 1]).toContain(said?.payload.readUInt32BE(0));
    }
    client.socket.end();
    await vi.waitFor(() => expect(served.held.at(-1)?.cancel.cancelled).toBe(true));
    served.release();
  });
});
