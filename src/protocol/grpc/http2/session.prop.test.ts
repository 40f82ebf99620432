/** The session against nghttp2, which is behind Node's client: fields, windows and frames of all sizes. */
import { type ClientHttp2Session, connect, type Settings } from 'node:http2';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Headers } from './request-headers.ts';
import { serveSessions } from './session-alone.ts';
import type { ServerStream } from './stream.ts';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that does `serve` with each stream, and a client of it. */
async function start(
  serve: (stream: ServerStream, headers: Headers | 'too large') => void,
  settings: Settings = {},
): Promise<ClientHttp2Session> {
  const served = await serveSessions(serve);
  const client = connect(`http://127.0.0.1:${served.port}`, { settings });
  client.on('error', () => {});
  closing.push(served.close, () => client.destroy());
  return client;
}

/** Gathers what comes, and answers with it when all is there. */
function echo(stream: ServerStream): void {
  const pieces: Buffer[] = [];
  stream.listen(
    (piece) => pieces.push(Buffer.from(piece)),
    () => {
      stream.respond();
      if (pieces.length > 0) stream.write(pieces);
      stream.end();
    },
  );
}

function ask(client: ClientHttp2Session, body: Uint8Array, headers: Readonly<Record<string, string>> = {}) {
  const stream = client.request({ ':method': 'POST', ':path': '/', ...headers });
  const chunks: Buffer[] = [];
  let trailers: unknown;
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('trailers', (received) => {
    trailers = received['grpc-status'];
  });
  stream.on('error', () => {});
  stream.end(body);
  return new Promise<{ body: Buffer; trailers: unknown; rstCode: number }>((resolve) =>
    stream.on('close', () =>
      resolve({ body: Buffer.concat(chunks), trailers, rstCode: stream.rstCode ?? 0 }),
    ),
  );
}

const sizes = fc.oneof(fc.nat(200), fc.nat(70_000), fc.nat(400_000));

describe('a session', () => {
  it('carries content of any size, whatever windows and frames both sides allow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sizes, { minLength: 1, maxLength: 6 }),
        fc.oneof(fc.integer({ min: 1000, max: 70_000 }), fc.constant(2 ** 30)),
        fc.integer({ min: 16_384, max: 60_000 }),
        fc.constantFrom(0, 100, 4096, 65_536),
        async (lengths, initialWindowSize, maxFrameSize, headerTableSize) => {
          const client = await start(echo, { initialWindowSize, maxFrameSize, headerTableSize });
          const bodies = lengths.map((length, index) => Buffer.alloc(length, `${index}:${length} `));
          const answers = await Promise.all(bodies.map((body) => ask(client, body)));
          for (const [index, answer] of answers.entries()) {
            expect(answer).toMatchObject({ trailers: '0', rstCode: 0 });
            expect(Buffer.compare(answer.body, bodies[index]!)).toBe(0);
          }
          for (const close of closing.splice(0)) close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it("reads whatever fields a client's compression makes of them", async () => {
    const seen: Headers[] = [];
    const client = await start((stream, headers) => {
      seen.push(headers as Headers);
      echo(stream);
    });
    const name = fc
      .string({
        unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-_'),
        minLength: 1,
        maxLength: 20,
      })
      .map((text) => `x-${text}`);
    const value = fc
      .string({
        unit: fc.integer({ min: 32, max: 126 }).map((code) => String.fromCharCode(code)),
        maxLength: 300,
      })
      .map((text) => text.trim());
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 10, noNullPrototype: true }), async (fields) => {
        seen.length = 0;
        // Twice: the second time most of it is in the table.
        for (let time = 0; time < 2; time += 1) await ask(client, Buffer.of(1), fields);
        for (const headers of seen) expect(headers).toMatchObject({ ':path': '/', ...fields });
        expect(seen).toHaveLength(2);
      }),
      { numRuns: 200 },
    );
  });

  it('tells of more fields than are allowed, and goes on', async () => {
    const seen: (Headers | 'too large')[] = [];
    const client = await start((stream, headers) => {
      seen.push(headers);
      if (headers === 'too large') stream.respondOnly({ ':status': 431 });
      else echo(stream);
    });
    await ask(client, Buffer.of(1));
    await ask(client, Buffer.of(1), { 'x-large': 'x'.repeat(8000), 'x-other': 'y'.repeat(200) });
    expect(await ask(client, Buffer.of(1))).toMatchObject({ trailers: '0' });
    expect(seen[1]).toBe('too large');
  });

  it('passes on what came before anybody listened', async () => {
    const client = await start((stream) => setTimeout(echo, 30, stream));
    const body = Buffer.alloc(15_000, 'early ');
    const answer = await ask(client, body);
    expect(answer.trailers).toBe('0');
    expect(answer.body.equals(body)).toBe(true);
  });

  it('takes no more than its window of a client while a stream is paused, and passes nothing on', async () => {
    let arrived = 0;
    let paused: ServerStream | undefined;
    const client = await start((stream) => {
      paused = stream;
      stream.listen(
        (piece) => {
          if (arrived === 0) stream.pause();
          arrived += piece.length;
        },
        () => {
          stream.respond();
          stream.end();
        },
      );
    });
    const answer = ask(client, Buffer.alloc(150_000));
    while (paused?.receiveWindow !== 0) await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => client.ping(() => resolve()));
    expect(paused.unreturnedBytes).toBe(70_000);
    const first = arrived;
    expect(first).toBeLessThanOrEqual(16_384);
    paused.resume();
    expect(await answer).toMatchObject({ trailers: '0' });
    expect(arrived).toBe(150_000);
  });
});
