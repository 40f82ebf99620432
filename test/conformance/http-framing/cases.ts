import { gzipSync } from 'node:zlib';

/** What a client sends, what it is told, and whether the connection goes on. Answers to the probe are not in it. */
export interface FramingCase {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  readonly statuses: readonly number[];
  readonly fate: 'open' | 'closed';
  readonly halfClose?: boolean;
}

export const BODY = JSON.stringify({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] }],
});
export const PATH = '/v2/models/rows/infer';
const LENGTH = `content-length: ${BODY.length}`;

/** A head from its lines, with the request line of an inference where none is given. */
export function head(lines: readonly string[], requestLine = `POST ${PATH} HTTP/1.1`): string {
  return [requestLine, ...lines, '', ''].join('\r\n');
}

/** A whole inference with these lines besides `host` and `content-length`. */
export function inference(...lines: readonly string[]): string {
  return head(['host: test', LENGTH, ...lines]) + BODY;
}

const OK = inference();
const CHUNKS = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`;
const CHUNKED = head(['host: test', 'transfer-encoding: chunked']);

const taken = (name: string, bytes: string | Uint8Array, times = 1): FramingCase => ({
  name,
  bytes,
  statuses: Array<number>(times).fill(200),
  fate: 'open',
});
/** Refused, and nothing more is read: what follows may be anything. */
const cut = (name: string, bytes: string | Uint8Array, status = 400): FramingCase => ({
  name,
  bytes,
  statuses: [status],
  fate: 'closed',
});
const refused = (name: string, bytes: string, status: number): FramingCase => ({
  name,
  bytes,
  statuses: [status],
  fate: 'open',
});

/** RFC 9112 by its sections, and RFC 9110 where that says what a field means. */
export const CASES: Readonly<Record<string, readonly FramingCase[]>> = {
  'requests as they should be': [
    taken('one', OK),
    taken('three in one breath', OK.repeat(3), 3),
    taken('a few hundred in one breath', OK.repeat(400), 400),
    taken('with a query', head(['host: test', LENGTH], `POST ${PATH}?a=b HTTP/1.1`) + BODY),
    taken(
      'with a version',
      head(['host: test', LENGTH], 'POST /v2/models/rows/versions/1/infer HTTP/1.1') + BODY,
    ),
    taken('with names in capitals', head(['HOST: test', `CONTENT-LENGTH: ${BODY.length}`]) + BODY),
    taken(
      'with spaces and tabs around values',
      head(['host:\t test \t', `content-length:  ${BODY.length} `]) + BODY,
    ),
    taken('with no space after the colon', head(['host:test', `content-length:${BODY.length}`]) + BODY),
    taken('with an empty value', inference('x-empty:')),
    taken('with a value of latin1', Buffer.from(inference('x-name: gr\u00f6\u00dfe \u00a0'), 'latin1')),
    taken('with a name of all token characters', inference("!#$%&'*+-.^_`|~09: x")),
    taken('with keep-alive', inference('connection: keep-alive')),
    taken('with Keep-Alive and its parameters', inference('Connection: Keep-Alive', 'keep-alive: timeout=5')),
    taken('with TE and a trailer announced', inference('te: trailers', 'trailer: x-sum')),
    taken('with a field twice that may come twice', inference('accept: a/b', 'accept: c/d')),
    taken('with cookies', inference('cookie: a=b', 'cookie: c=d', 'set-cookie: e=f')),
    taken('after an empty line', `\r\n${OK}`),
    taken('after empty lines, twice', `${OK}\r\n\r\n${OK}`, 2),
    taken(
      'with leading zeros in the length',
      head(['host: test', `content-length: 000${BODY.length}`]) + BODY,
    ),
    taken('with a version it does not need in the host', head(['host: [::1]:80', LENGTH]) + BODY),
  ],
  'other requests on the same connection': [
    taken('health, inference, health', [health(), OK, health(), OK].join(''), 4),
    refused(
      'an unknown model',
      head(['host: test', LENGTH], 'POST /v2/models/none/infer HTTP/1.1') + BODY,
      404,
    ),
    refused('no body', head(['host: test', 'content-length: 0']), 400),
    refused('no length', head(['host: test']), 400),
    refused('GET', head(['host: test'], `GET ${PATH} HTTP/1.1`), 405),
    refused('a media type that is not taken', inference('content-type: text/plain'), 415),
    refused('a header length that is none', inference('inference-header-content-length: -1'), 400),
    refused('a deadline that is none', inference('x-request-deadline: soon'), 400),
    {
      name: 'good and bad by turns',
      bytes: [OK, inference('inference-header-content-length: 1'), OK].join(''),
      statuses: [200, 400, 200],
      fate: 'open',
    },
  ],
  'request lines (3)': [
    taken('absolute form', head(['host: test', LENGTH], `POST http://test${PATH} HTTP/1.1`) + BODY),
    cut('authority form', head(['host: test', LENGTH], 'POST test:80 HTTP/1.1') + BODY),
    cut('a method in lower case', head(['host: test', LENGTH], `post ${PATH} HTTP/1.1`) + BODY),
    cut('a method that is none', head(['host: test', LENGTH], `POSTS ${PATH} HTTP/1.1`) + BODY),
    // Section 3 lets a server be lenient here.
    taken('two spaces', head(['host: test', LENGTH], `POST  ${PATH} HTTP/1.1`) + BODY),
    cut('a tab', head(['host: test', LENGTH], `POST\t${PATH} HTTP/1.1`) + BODY),
    cut('a space before it', head(['host: test', LENGTH], ` POST ${PATH} HTTP/1.1`) + BODY),
    cut('a space in the path', head(['host: test', LENGTH], 'POST /v2/models/ro ws/infer HTTP/1.1') + BODY),
    cut('a space at its end', head(['host: test', LENGTH], `POST ${PATH} HTTP/1.1 `) + BODY),
    cut('HTTP/1.2', head(['host: test', LENGTH], `POST ${PATH} HTTP/1.2`) + BODY),
    {
      name: 'HTTP/2.0, said in the manner of HTTP/1.1',
      bytes: head(['host: test', LENGTH], `POST ${PATH} HTTP/2.0`) + BODY,
      statuses: [200],
      fate: 'closed',
    },
    cut('http/1.1', head(['host: test', LENGTH], `POST ${PATH} http/1.1`) + BODY),
    cut('NUL in the path', head(['host: test', LENGTH], 'POST /v2/models/ro\0ws/infer HTTP/1.1') + BODY),
    cut('HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    {
      name: 'HTTP/1.0',
      bytes: head([LENGTH], `POST ${PATH} HTTP/1.0`) + BODY,
      statuses: [200],
      fate: 'closed',
    },
    taken(
      'HTTP/1.0 with keep-alive',
      head([LENGTH, 'connection: keep-alive'], `POST ${PATH} HTTP/1.0`) + BODY,
    ),
  ],
  'host (3.2)': [
    refused('none', head([LENGTH]) + BODY, 400),
    taken('empty', head(['host:', LENGTH]) + BODY),
    taken('twice: the first one counts', head(['host: a', 'host: b', LENGTH]) + BODY),
  ],
  'fields (5)': [
    cut('a space before the colon', inference('x-a : b')),
    cut(
      'a space before the colon of the length',
      head(['host: test', `content-length : ${BODY.length}`]) + BODY,
    ),
    cut('a tab before the colon', inference('x-a\t: b')),
    cut('no colon', inference('nothing')),
    cut('no name', inference(': b')),
    cut('a space before the first name', head([' host: test', LENGTH]) + BODY),
    cut('NUL in a name', inference('x-\0a: b')),
    cut('NUL in a value', inference('x-a: b\0c')),
    cut('DEL in a value', inference('x-a: b\x7fc')),
    cut('a control character in a value', inference('x-a: b\x01c')),
    cut('a name that is no token', inference('x[a]: b')),
    cut('a name beyond ASCII', Buffer.from(inference('gr\u00f6\u00dfe: b'), 'latin1')),
    cut('a bare CR', inference('x-a: b\rx-c: d')),
    cut('a bare LF', inference('x-a: b\nx-c: d')),
    cut('bare LF throughout', head(['host: test', LENGTH]).replaceAll('\r\n', '\n') + BODY),
    cut('CR CR LF', head(['host: test', LENGTH]).replaceAll('\r\n', '\r\r\n') + BODY),
    cut('LF at the end of the head only', head(['host: test', LENGTH]).replace(/\r\n\r\n$/, '\r\n\n') + BODY),
    cut('a line folded (5.2)', inference('x-a: b', ' c')),
    cut('the length folded', head(['host: test', 'content-length:', ` ${BODY.length}`]) + BODY),
    cut('more than a head may hold', inference(`x-a: ${'b'.repeat(20_000)}`), 431),
    cut('more lines than a head may hold', inference(...Array<string>(3000).fill('x-abcd: b')), 431),
    taken('as much as a head may hold', inference(`x-a: ${'b'.repeat(15_000)}`)),
    taken('many lines', inference(...Array.from({ length: 500 }, (_, i) => `x-${i}: b`))),
  ],
  'content-length (6.2)': [
    cut('twice, the same', head(['host: test', LENGTH, LENGTH]) + BODY),
    cut('twice, not the same', head(['host: test', LENGTH, 'content-length: 1']) + BODY),
    cut('a list', head(['host: test', `content-length: ${BODY.length}, ${BODY.length}`]) + BODY),
    cut('empty', head(['host: test', 'content-length:']) + BODY),
    taken('with a space behind it', head(['host: test', `${LENGTH} `]) + BODY),
    cut('negative', head(['host: test', 'content-length: -5']) + BODY),
    cut('with a sign', head(['host: test', `content-length: +${BODY.length}`]) + BODY),
    cut('hexadecimal', head(['host: test', 'content-length: 0x20']) + BODY),
    cut('a fraction', head(['host: test', `content-length: ${BODY.length}.0`]) + BODY),
    cut('an exponent', head(['host: test', 'content-length: 1e2']) + BODY),
    cut('with a space within', head(['host: test', 'content-length: 1 2']) + BODY),
    cut('beyond 64 bits', head(['host: test', `content-length: ${'9'.repeat(25)}`]) + BODY),
    cut('in another kind of digits', head(['host: test', 'content-length: \u0661']) + BODY),
    {
      name: 'too short: the rest is no request',
      bytes: head(['host: test', 'content-length: 5']) + BODY,
      statuses: [400, 400],
      fate: 'closed',
    },
  ],
  'transfer-encoding (6.1, 7.1)': [
    taken('chunked', CHUNKED + CHUNKS),
    taken('chunked, then one as usual', CHUNKED + CHUNKS + OK, 2),
    taken('chunked, with trailers', CHUNKED + CHUNKS.replace(/\r\n$/, 'x-sum: 1\r\nx-more: 2\r\n\r\n')),
    taken('chunked, with an extension', CHUNKED + CHUNKS.replace('\r\n', ';a=b\r\n')),
    cut('beside a length', head(['host: test', LENGTH, 'transfer-encoding: chunked']) + CHUNKS),
    cut('before a length', head(['host: test', 'transfer-encoding: chunked', LENGTH]) + CHUNKS),
    cut('identity beside a length', inference('transfer-encoding: identity')),
    cut('empty beside a length', inference('transfer-encoding:')),
    cut('unknown beside a length', inference('transfer-encoding: xchunked')),
    cut('with a tab for a space, beside a length', inference('transfer-encoding:\tchunked')),
    cut('chunked, not last', head(['host: test', 'transfer-encoding: chunked, gzip']) + CHUNKS),
    cut('a size that is none', `${CHUNKED}zz\r\n${BODY}\r\n0\r\n\r\n`),
    cut('a negative size', `${CHUNKED}-1\r\n${BODY}\r\n0\r\n\r\n`),
    cut('a size beyond 64 bits', `${CHUNKED}${'f'.repeat(20)}\r\n${BODY}\r\n0\r\n\r\n`),
    cut('a chunk longer than its size', `${CHUNKED}1\r\n${BODY}\r\n0\r\n\r\n`),
  ],
  'what else a head may ask for': [
    { name: 'connection: close', bytes: inference('connection: close'), statuses: [200], fate: 'closed' },
    {
      name: 'connection: close, and more after it',
      bytes: inference('connection: close') + OK,
      statuses: [200],
      fate: 'closed',
    },
    {
      name: 'close after two others',
      bytes: OK + OK + inference('connection: close'),
      statuses: [200, 200, 200],
      fate: 'closed',
    },
    {
      name: 'Expect: 100-continue',
      bytes: inference('expect: 100-continue'),
      statuses: [100, 200],
      fate: 'open',
    },
    refused('an expectation that nobody knows', inference('expect: miracles'), 417),
    taken('an upgrade that is not offered', inference('connection: upgrade', 'upgrade: websocket')),
    taken(
      'an upgrade to HTTP/2',
      inference('connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: AAA'),
    ),
    taken('a body that is compressed', compressed()),
    refused('a compression that is none', inference('content-encoding: br'), 415),
  ],
  'what follows a request': [
    { name: 'garbage', bytes: `${OK}THIS IS NOT HTTP\r\n\r\n`, statuses: [200, 400], fate: 'closed' },
    { name: 'bytes of no meaning', bytes: `${OK}\0\0\0\0`, statuses: [200, 400], fate: 'closed' },
    {
      name: 'a broken request',
      bytes: `${OK}${inference('x : y')}${OK}`,
      statuses: [200, 400],
      fate: 'closed',
    },
  ],
  'clients that say no more': [
    { name: 'after nothing', bytes: '', statuses: [], fate: 'closed', halfClose: true },
    { name: 'after a request', bytes: OK, statuses: [200], fate: 'closed', halfClose: true },
    { name: 'after three', bytes: OK.repeat(3), statuses: [200, 200, 200], fate: 'closed', halfClose: true },
    {
      name: 'within the request line',
      bytes: OK.slice(0, 20),
      statuses: [400],
      fate: 'closed',
      halfClose: true,
    },
    { name: 'within the head', bytes: OK.slice(0, 60), statuses: [400], fate: 'closed', halfClose: true },
    { name: 'within the body', bytes: OK.slice(0, -5), statuses: [400], fate: 'closed', halfClose: true },
    {
      name: 'before the body',
      bytes: head(['host: test', LENGTH]),
      statuses: [400],
      fate: 'closed',
      halfClose: true,
    },
    {
      name: 'within the second head',
      bytes: OK + OK.slice(0, 60),
      statuses: [200, 400],
      fate: 'closed',
      halfClose: true,
    },
    {
      name: 'within the second body',
      bytes: OK + OK.slice(0, -5),
      statuses: [200, 400],
      fate: 'closed',
      halfClose: true,
    },
  ],
};

function health(): string {
  return 'GET /v2/health/live HTTP/1.1\r\nhost: test\r\n\r\n';
}

function compressed(): Uint8Array {
  const body = gzipSync(BODY);
  const lines = ['host: test', `content-length: ${body.length}`, 'content-encoding: gzip'];
  return Buffer.concat([Buffer.from(head(lines)), body]);
}
