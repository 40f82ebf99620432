import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mutated } from '../../fuzz/mutation.ts';
import { BODY, CASES, inference, PATH } from './cases.ts';
import { READINGS, type ReadingServer, serveReading } from './readings.ts';
import { talk } from './talk.ts';

let servers: readonly ReadingServer[] = [];
beforeAll(async () => {
  servers = await Promise.all(READINGS.map((reading) => serveReading(reading, { receiveTimeoutMs: 400 })));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

/** The same bytes to every reader. */
async function sayToAll(bytes: Uint8Array, mayHalfClose: boolean): Promise<void> {
  // Bodies are decompressed on another thread: whether the answer is there when the client half-closes is chance.
  const halfClose = mayHalfClose && !/gzip|deflate/i.test(Buffer.from(bytes).toString('latin1'));
  const said = await Promise.all(
    servers.map(({ port, secure }) => talk(port, [bytes], { halfClose, secure })),
  );
  for (const [at, other] of said.entries()) {
    const { name } = READINGS[at]!;
    expect({ name, ...other }).toEqual({ name, ...said[0] });
  }
}

const name = fc.constantFrom(
  'host',
  'Host',
  'content-length',
  'Content-Length',
  'content-type',
  'transfer-encoding',
  'connection',
  'expect',
  'upgrade',
  'content-encoding',
  'accept-encoding',
  'inference-header-content-length',
  'x-request-id',
  'x-request-deadline',
  'x-other',
  'set-cookie',
  '',
  'bad name',
  'tab\there',
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    'test',
    'a, b',
    'keep-alive',
    'close',
    'chunked',
    '100-continue',
    'gzip',
    'application/json',
  ),
  fc.constantFrom(String(BODY.length), '0', '5', '-1', '+1', '0x1', '1,1', '00012', '9'.repeat(30)),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const space = fc.constantFrom('', ' ', '\t', '  \t');
const lineEnd = fc.oneof(
  { weight: 20, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '\r\n ') },
);
const field = fc
  .tuple(name, fc.oneof({ weight: 9, arbitrary: fc.constant('') }, space), space, value, space, lineEnd)
  .map(([key, before, after, text, behind, end]) => `${key}${before}:${after}${text}${behind}${end}`);
const requestLine = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('POST') },
      fc.constantFrom('post', 'GET', 'PUT', 'POST ', 'P'),
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant(PATH) },
      fc.constantFrom(
        `${PATH}?a`,
        `http://h${PATH}`,
        '/v2/models/no/infer',
        '/v2/models/a%zz/infer',
        `${PATH}#a`,
        '*',
      ),
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('HTTP/1.1') },
      fc.constantFrom('HTTP/1.0', 'HTTP/1.2', 'http/1.1', ''),
    ),
  )
  .map((parts) => `${parts.join(' ')}\r\n`);

/** Heads put together from parts, most of which are as they should be. */
const assembled = fc
  .tuple(requestLine, fc.array(field, { maxLength: 3 }), fc.array(field, { maxLength: 2 }), fc.boolean())
  .map(([line, before, after, hasUsual]) => {
    const usual = hasUsual ? `host: test\r\ncontent-length: ${BODY.length}\r\n` : '';
    return Buffer.from(`${line}${before.join('')}${usual}${after.join('')}\r\n${BODY}`, 'latin1');
  });

const corpus = Object.values(CASES)
  .flat()
  .map(({ bytes }) => Buffer.from(bytes as string, 'latin1'))
  .filter((bytes) => bytes.length > 0 && bytes.length < 2000);
const WORDS = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  ':',
  '\0',
  '\t',
  'content-length: 3\r\n',
  'transfer-encoding: chunked\r\n',
  'POST ',
  'HTTP/1.0',
  '{',
  '0',
];

describe('every reader says the same', () => {
  it('to heads put together at random', { timeout: 120_000 }, async () => {
    await fc.assert(fc.asyncProperty(assembled, fc.boolean(), sayToAll), { numRuns: 300 });
  });

  it('to requests with a few bytes changed, one or more on a connection', { timeout: 120_000 }, async () => {
    const requests = fc.oneof(
      mutated(corpus, WORDS),
      mutated([Buffer.from(inference()), Buffer.from(inference('x-a: b').repeat(2))], WORDS),
    );
    await fc.assert(fc.asyncProperty(requests, fc.boolean(), sayToAll), { numRuns: 300 });
  });
});
