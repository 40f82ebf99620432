import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer as createProxy, connect as dial } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { endWith, readDirectly, sendOkTrailers } from './quick-stream.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that does `serve` with each stream, and a client behind a proxy that notes what the server writes. */
async function start(serve: (stream: ServerHttp2Stream) => void) {
  const server: Http2Server = createServer();
  server.on('stream', serve);
  const port = await listening(server);
  const writes: Buffer[] = [];
  const proxy = createProxy((client) => {
    const upstream = dial(port, '127.0.0.1');
    client.pipe(upstream);
    upstream.on('data', (piece) => {
      writes.push(piece);
      client.write(piece);
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  const client = connect(`http://127.0.0.1:${await listening(proxy)}`);
  closers.push(
    () => client.destroy(),
    () => proxy.close(),
    () => server.close(),
  );
  return { client, writes };
}

function listening(server: ReturnType<typeof createProxy> | Http2Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

/** One call; `body` is sent as it is. */
function call(client: ClientHttp2Session, body: Uint8Array) {
  const stream = client.request({ ':method': 'POST', ':path': '/' });
  const chunks: Buffer[] = [];
  let trailers: unknown;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('trailers', (received) => {
    trailers = { 'grpc-status': received['grpc-status'] };
  });
  stream.end(body);
  return new Promise<{ body: Buffer; trailers: unknown; rstCode: number | undefined }>((resolve) =>
    stream.on('close', () => resolve({ body: Buffer.concat(chunks), trailers, rstCode: stream.rstCode })),
  );
}

function answer(stream: ServerHttp2Stream, bytes: Uint8Array): void {
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => sendOkTrailers(stream));
  endWith(stream, bytes);
}

function isMany(value: number): Uint8Array {
  return new Uint8Array(300_000).fill(value);
}

describe('readDirectly', () => {
  it('hands on all bytes of streams side by side, and their end', async () => {
    const { client } = await start((stream) => {
      const pieces: Uint8Array[] = [];
      expect(readDirectly(stream, (piece) => pieces.push(piece.slice()))).toBe(true);
      stream.on('end', () => answer(stream, Buffer.concat(pieces).subarray(0, 50_000)));
    });
    const answers = await Promise.all([1, 2, 3, 4].map((value) => call(client, isMany(value))));
    expect(answers.map(({ body }) => [body.length, body[0], body.at(-1)])).toEqual(
      [1, 2, 3, 4].map((value) => [50_000, value, value]),
    );
  });

  it('leaves a stream alone that has read something', async () => {
    const { client } = await start((stream) => {
      stream.once('readable', () => {
        expect(stream.readableLength).toBeGreaterThan(0);
        expect(readDirectly(stream, () => {})).toBe(false);
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => answer(stream, Buffer.concat(pieces)));
      });
    });
    expect((await call(client, Buffer.from('all of it'))).body.toString()).toBe('all of it');
  });

  it('leaves a stream alone that is not what it expects', () => {
    const stream = { readableLength: 0 } as ServerHttp2Stream;
    expect(readDirectly(stream, () => {})).toBe(false);
    expect(Object.getOwnPropertySymbols(stream)).toEqual([]);
  });
});

describe('an answer with its trailers', () => {
  it('leaves in one write, and in the order of the protocol', async () => {
    const { client, writes } = await start((stream) => {
      stream.resume();
      stream.on('end', () => answer(stream, Buffer.from('short')));
    });
    // From the first answer is learned how Node hands over trailers.
    const first = await call(client, Buffer.from('x'));
    // The client's settings are acknowledged by now, so that nothing else is on its way.
    await new Promise<void>((resolve) => client.ping(() => resolve()));
    writes.length = 0;
    const second = await call(client, Buffer.from('x'));
    expect(writes).toHaveLength(1);
    for (const one of [first, second]) {
      expect(one.body.toString()).toBe('short');
      expect(one.trailers).toEqual({ 'grpc-status': '0' });
      expect(one.rstCode).toBe(0);
    }
  });

  it('waits for the client where its window is full', async () => {
    const { client } = await start((stream) => {
      stream.resume();
      stream.on('end', () => answer(stream, isMany(5)));
    });
    await call(client, Buffer.from('x'));
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    let trailers = 0;
    stream.on('trailers', () => {
      trailers += 1;
    });
    stream.end();
    await new Promise((resolve) => stream.on('response', resolve));
    await new Promise<void>((resolve) => client.ping(() => resolve()));
    expect(trailers).toBe(0);
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    await new Promise((resolve) => stream.on('close', resolve));
    expect([length, trailers]).toEqual([300_000, 1]);
  });

  it('is dropped with its stream where the client resets it', async () => {
    const closed: number[] = [];
    const { client } = await start((stream) => {
      stream.on('error', () => {});
      stream.on('close', () => closed.push(stream.rstCode));
      stream.resume();
      stream.on('end', () => answer(stream, isMany(6)));
    });
    await call(client, Buffer.from('x'));
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    stream.on('error', () => {});
    stream.end();
    await new Promise((resolve) => stream.on('response', resolve));
    stream.close(8);
    await new Promise((resolve) => stream.on('close', resolve));
    expect((await call(client, Buffer.from('x'))).trailers).toEqual({ 'grpc-status': '0' });
    expect(closed).toEqual([0, 8, 0]);
  });
});
