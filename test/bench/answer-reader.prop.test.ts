import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAnswerReader } from '../../bench/harness/batching/answer-reader.mjs';

const answer = fc.record({
  status: fc.constantFrom(200, 429, 503, 504),
  body: fc.string({ maxLength: 40 }).map((text) => JSON.stringify(text)),
  isChunked: fc.boolean(),
  closes: fc.boolean(),
});

it('finds the end of every answer, however its bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 5 }), fc.array(fc.nat(60)), (answers, cuts) => {
      const seen: [number, boolean][] = [];
      const take = createAnswerReader((status, closes) => seen.push([status, closes]));
      // One request at a time: the next answer starts in bytes of its own.
      for (const one of answers) for (const piece of pieces(bytesOf(one), cuts)) take(piece);
      expect(seen).toEqual(answers.map(({ status, closes }) => [status, closes]));
    }),
  );
});

it('refuses what it cannot find the end of', () => {
  const take = createAnswerReader(() => {});
  expect(() => take(Buffer.from('HTTP/1.1 200 OK\r\nserver: x\r\n\r\n'))).toThrow(
    'neither a length nor chunks',
  );
  const next = createAnswerReader(() => {});
  expect(() => next(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab'))).toThrow('more bytes');
});

function bytesOf({
  status,
  body,
  isChunked,
  closes,
}: typeof answer extends fc.Arbitrary<infer T> ? T : never) {
  const head = `HTTP/1.1 ${status} Some Words\r\nServer: x\r\n${closes ? 'Connection: close\r\n' : ''}`;
  const length = Buffer.byteLength(body);
  return Buffer.from(
    isChunked
      ? `${head}Transfer-Encoding: chunked\r\n\r\n${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      : `${head}Content-Length: ${length}\r\n\r\n${body}`,
  );
}

function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  for (const cut of cuts) {
    if (cut === 0 || at + cut >= bytes.length) continue;
    found.push(bytes.subarray(at, at + cut));
    at += cut;
  }
  return [...found, bytes.subarray(at)];
}
