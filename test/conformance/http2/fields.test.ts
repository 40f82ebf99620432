/** What may stand in the head of a request, and in its trailers (RFC 9113, 8.1 to 8.3). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectFrames } from '../../support/http2-client.ts';
import { continuation, data, FLAG, headers } from '../../support/http2-frames.ts';
import {
  block,
  CALL_FIELDS,
  callBlock,
  type Field,
  indexed,
  LITERAL,
  literal,
  MODEL_INFER,
} from '../../support/http2-hpack.ts';
import { call, message, type Served, serveHttp2, verdictOf } from '../../support/http2-server.ts';
import { type Case, expectServing, judge } from './judge.ts';

const { endHeaders, endStream } = FLAG;
const MALFORMED = ['reset PROTOCOL_ERROR', 'refused', 'connection PROTOCOL_ERROR'];
const ANSWERED = 'answered a';
const MESSAGE = message('a');
const END = data(1, MESSAGE, endStream);

const calling = (fields: readonly Field[]) => [headers(1, block(fields)), END];
const without = (name: string) => CALL_FIELDS.filter(([field]) => field !== name);
const instead = (name: string, value: string) =>
  CALL_FIELDS.map((field) => (field[0] === name ? ([name, value] as const) : field));
const wrong = (what: string, section: string, fields: readonly Field[], more: Partial<Case> = {}): Case => ({
  what,
  section,
  sends: calling(fields),
  verdicts: MALFORMED,
  ...more,
});
const plus = (...more: readonly Field[]) => [...CALL_FIELDS, ...more];

const NAMES_AND_VALUES: readonly Case[] = [
  ...['Upper', 'uppeR', 'a b', 'a\0', 'a\n', 'a:b', '\x7f', 'a\xe4', ''].map((name) =>
    wrong(`the name ${JSON.stringify(name)}`, '8.2.1', plus([name, 'v'])),
  ),
  ...['a\0', 'a\nb', 'a\rb', '\r\nx: y'].map((value) =>
    wrong(`the value ${JSON.stringify(value)}`, '8.2.1', plus(['x', value])),
  ),
  ...[' a', 'a ', '\ta', 'a\t'].map((value) =>
    wrong(`the value ${JSON.stringify(value)}`, '8.2.1', plus(['x', value])),
  ),
  ...(
    [
      ['connection', 'close'],
      ['proxy-connection', 'keep-alive'],
      ['keep-alive', 'timeout=5'],
      ['transfer-encoding', 'chunked'],
      ['upgrade', 'h2c'],
      ['te', 'gzip'],
    ] as const
  ).map((field) => wrong(`${field[0]}, which is HTTP/1.1's`, '8.2.2', [...without(field[0]), field])),
  {
    what: 'the same field several times, empty values, and every character that may be',
    section: '8.2',
    sends: calling(
      plus(
        ['x', ''],
        ['x', 'a'],
        ['cookie', 'a=b'],
        ['cookie', 'c=d'],
        ["!#$%&'*+-.^_`|~09az", 'v'],
        ['y', '\t!~\x80\xff'.trimStart()],
      ),
    ),
    verdicts: [ANSWERED],
  },
];

const PSEUDO: readonly Case[] = [
  ...[':method', ':scheme', ':path'].flatMap((name) => [
    wrong(`no ${name}`, '8.3.1', without(name)),
    wrong(`${name} twice`, '8.3.1', [...CALL_FIELDS.filter(([field]) => field === name), ...CALL_FIELDS]),
    wrong(`${name} of nothing`, '8.3.1', instead(name, '')),
  ]),
  wrong(':authority twice', '8.3.1', [[':authority', 'a'], ...CALL_FIELDS]),
  wrong('a pseudo-field behind another field', '8.3', [['x', 'v'], ...CALL_FIELDS]),
  wrong('the path behind another field', '8.3', [...without(':path'), [':path', MODEL_INFER]]),
  wrong('a pseudo-field that nobody knows', '8.3', [[':nothing', 'v'], ...CALL_FIELDS]),
  wrong("an answer's pseudo-field", '8.3', [[':status', '200'], ...CALL_FIELDS]),
  wrong('a pseudo-field of no name', '8.3', [[':', 'v'], ...CALL_FIELDS]),
  wrong('CONNECT with a path', '8.5', instead(':method', 'CONNECT')),
  wrong('the extended CONNECT, which was not offered', '8.5', [
    [':protocol', 'websocket'],
    ...instead(':method', 'CONNECT'),
  ]),
  wrong('a method with a space', '8.3.1', instead(':method', 'PO ST')),
  wrong('a path that does not begin with a slash', '8.3.1', instead(':path', 'x')),
  {
    what: 'host instead of :authority',
    section: '8.3.1',
    sends: calling([...without(':authority'), ['host', '127.0.0.1']]),
    verdicts: [ANSWERED],
  },
  {
    what: 'host beside :authority',
    section: '8.3.1',
    sends: calling(plus(['host', '127.0.0.1'])),
    verdicts: [ANSWERED],
  },
];

const length = (value: string | number): Field => ['content-length', String(value)];

const LENGTHS: readonly Case[] = [
  {
    what: 'the content-length that comes',
    section: '8.1.1',
    sends: calling(plus(length(MESSAGE.length))),
    verdicts: [ANSWERED],
  },
  wrong('a content-length of more than comes', '8.1.1', plus(length(MESSAGE.length + 1))),
  wrong('a content-length of less than comes', '8.1.1', plus(length(MESSAGE.length - 1))),
  wrong('a content-length of 0', '8.1.1', plus(length(0))),
  wrong('two content-lengths that differ', '8.1.1', plus(length(MESSAGE.length), length(1))),
  ...['', '-1', '1x', '+61', '0x3d', '1e1', '99999999999999999999999'].map((value) =>
    wrong(`a content-length of ${JSON.stringify(value)}`, '8.1.1', plus(length(value))),
  ),
  {
    what: 'a content-length with HEADERS that end the stream',
    section: '8.1.1',
    sends: [headers(1, callBlock(length(5)), endHeaders | endStream)],
    verdicts: MALFORMED,
  },
  {
    what: 'the content-length, in several frames, padded',
    section: '8.1.1',
    sends: [
      headers(1, callBlock(length(MESSAGE.length))),
      data(1, MESSAGE.subarray(0, 5)),
      data(1, Buffer.concat([Buffer.of(3), MESSAGE.subarray(5), Buffer.alloc(3)]), endStream | FLAG.padded),
    ],
    verdicts: [ANSWERED],
  },
];

const OPEN = [headers(1, callBlock()), data(1, MESSAGE)];
const TRAILERS: readonly Case[] = [
  {
    what: 'trailers',
    section: '8.1',
    sends: [...OPEN, headers(1, block([['x', 'v']]), endHeaders | endStream)],
    verdicts: [ANSWERED],
  },
  {
    what: 'trailers of nothing',
    section: '8.1',
    sends: [...OPEN, headers(1, Buffer.alloc(0), endHeaders | endStream)],
    verdicts: [ANSWERED],
  },
  {
    what: 'trailers in two frames',
    section: '8.1',
    sends: [...OPEN, headers(1, Buffer.alloc(0), endStream), continuation(1, block([['x', 'v']]))],
    verdicts: [ANSWERED],
  },
  {
    what: 'trailers that do not end the stream',
    section: '8.1',
    sends: [...OPEN, headers(1, block([['x', 'v']]))],
    verdicts: MALFORMED,
  },
  {
    what: 'trailers with a pseudo-field',
    section: '8.1',
    sends: [...OPEN, headers(1, block([[':path', '/']]), endHeaders | endStream)],
    verdicts: MALFORMED,
  },
  {
    what: 'trailers with a name in capitals',
    section: '8.2.1',
    sends: [...OPEN, headers(1, block([['X', 'v']]), endHeaders | endStream)],
    verdicts: MALFORMED,
  },
  {
    what: "trailers with one of HTTP/1.1's fields",
    section: '8.2.2',
    sends: [...OPEN, headers(1, block([['connection', 'close']]), endHeaders | endStream)],
    verdicts: MALFORMED,
  },
  {
    what: 'trailers, and fewer bytes than content-length says',
    section: '8.1.1',
    sends: [
      headers(1, callBlock(length(999))),
      data(1, MESSAGE),
      headers(1, block([['x', 'v']]), endHeaders | endStream),
    ],
    verdicts: MALFORMED,
  },
];

let served: Served;
beforeAll(async () => {
  served = await serveHttp2();
});
afterAll(() => served.close());

describe.each([
  ['names and values', NAMES_AND_VALUES],
  ['pseudo-fields', PSEUDO],
  ['lengths', LENGTHS],
  ['trailers', TRAILERS],
])('%s', (_what, cases) => {
  it.each(cases)('$section: $what', async (one) => expect(one.verdicts).toContain(await judge(served, one)));
});

describe('more fields than the server takes', () => {
  /** In frames behind an empty one. */
  function inFrames(streamId: number, whole: Buffer, flags = 0): Buffer[] {
    const frames = [headers(streamId, Buffer.alloc(0), flags)];
    for (let at = 0; at < whole.length; at += 16_000) {
      const isLast = at + 16_000 >= whole.length;
      frames.push(continuation(streamId, whole.subarray(at, at + 16_000), isLast ? endHeaders : 0));
    }
    return frames;
  }

  const REFUSED = ['refused', 'reset PROTOCOL_ERROR', 'reset ENHANCE_YOUR_CALM', 'reset REFUSED_STREAM'];
  const many = (count: number, bytes: number): Field[] =>
    Array.from({ length: count }, () => ['x', 'v'.repeat(bytes)]);

  it.each([
    ['one long value', many(1, 17_000)],
    ['many values', many(40, 500)],
    ['empty values, of which each counts 32 bytes besides', many(600, 0)],
  ])('are refused, and the connection goes on: %s', async (_what, fields) => {
    const verdict = await judge(served, { sends: [...inFrames(1, callBlock(...fields)), END] });
    expect(REFUSED).toContain(verdict);
  });

  it('are refused as trailers too', async () => {
    const trailers = inFrames(1, block(many(40, 500)), endStream);
    const verdict = await judge(served, { sends: [...OPEN, ...trailers] });
    expect([...REFUSED, ANSWERED]).toContain(verdict);
  });

  it('are few where they almost are', async () => {
    expect(await judge(served, { sends: [...inFrames(1, callBlock(...many(10, 1500))), END] })).toBe(
      ANSWERED,
    );
  });

  it('that one field of the table stands for, again and again, are never all unpacked', async () => {
    const bomb = Buffer.concat([
      callBlock(),
      literal('x', 'v'.repeat(4000), LITERAL.indexed),
      Buffer.alloc(12_000, indexed(62)),
    ]);
    const verdict = await judge(served, { sends: [headers(1, bomb), END] });
    expect([
      ...REFUSED,
      'connection ENHANCE_YOUR_CALM',
      'connection PROTOCOL_ERROR',
      'connection COMPRESSION_ERROR',
    ]).toContain(verdict);
  });

  it('by megabytes end the connection or are passed over, and others are served', async () => {
    const client = await connectFrames(served.port);
    for (const piece of inFrames(1, callBlock(...many(4000, 1000)))) await client.writeOut(piece);
    client.write(END);
    if (await client.isAlive()) {
      client.write(call(3, message('b')));
      expect(verdictOf(await client.outcome(3))).toBe('answered b');
      expect(REFUSED).toContain(verdictOf(client.outcomeOf(1)));
    }
    client.destroy();
    await expectServing(served.port);
  });
});
