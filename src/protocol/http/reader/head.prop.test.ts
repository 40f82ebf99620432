import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHead } from './head.ts';

/** What node:http read of the last head. */
let read: { readonly url: string | undefined; readonly headers: object } | undefined;
const server = createServer((request, response) => {
  read = { url: request.url, headers: request.headers };
  response.shouldKeepAlive = false;
  response.end();
});
beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
afterAll(() => void server.close());

async function readByNode(head: string): Promise<typeof read> {
  read = undefined;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  socket.end(Buffer.from(`${head}\r\n\r\n`, 'latin1'));
  await new Promise((resolve) => socket.once('close', resolve));
  return read;
}

const anyChar = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const text = (unit: fc.Arbitrary<string>, maxLength: number) => fc.string({ unit, maxLength });
const name = fc.oneof({ weight: 5, arbitrary: text(fc.constantFrom(...'aZ9-_!~*'), 6) }, text(anyChar, 4));
const value = fc.oneof(
  { weight: 5, arbitrary: text(fc.constantFrom(...'aZ 9\t,;"\u00e4\u00a0'), 10) },
  text(anyChar, 6),
);
const field = fc.tuple(name, value).map((parts) => parts.join(':'));
const path = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('iris/infer', 'a%20b/versions/1/infer?x=y', 'a/infer?/infer') },
  text(anyChar, 6).map((part) => `${part}/infer`),
);
const heads = fc
  .tuple(path, fc.array(field, { maxLength: 4 }), fc.array(field, { maxLength: 2 }))
  .map(([model, before, after]) =>
    [`POST /v2/models/${model} HTTP/1.1`, ...before, 'host: h', 'content-length: 0', ...after].join('\r\n'),
  );

describe('a head that is taken', () => {
  it('is read by node:http too, and as the same', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(heads, async (head) => {
        const own = parseHead(head);
        if (own === undefined) return;
        taken += 1;
        const { url, headers } = (await readByNode(head)) ?? {};
        expect({ ...own.headers }).toEqual(headers);
        expect(`POST ${url} HTTP/1.1`).toBe(head.slice(0, head.indexOf('\r\n')));
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});
