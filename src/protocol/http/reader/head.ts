import { readForm } from '../infer-call.ts';
import { decodeSegment, type InferPath, inferRouteOf, matchInferPath } from '../infer-path.ts';
import type { RequestHead } from '../request-context.ts';

/** The head of an inference that has nothing about it that could be read in two ways. */
export interface InferHead extends RequestHead {
  readonly name: string;
  readonly version: string | undefined;
  /** Template for the metrics. */
  readonly route: string;
  /** Length of the JSON part of the body, as in `InferTarget`. */
  readonly headerLength: number | undefined;
  /** Length of the body, in bytes. */
  readonly bodyBytes: number;
}

/** A head with the very bytes it was read from, the empty line included: what says the same needs no reading. */
export interface KnownHead {
  readonly bytes: Buffer;
  readonly head: InferHead;
}

/** Half of what node:http takes: there is time to hand over before anything is too large. */
const MOST_HEAD_BYTES = 8192;
const MOST_FIELDS = 100;

const START = Buffer.from('POST /v2/models/');
const END = Buffer.from('\r\n\r\n');

/** Origin form without a fragment, of the characters that RFC 3986 lets stand in a path or query. */
const REQUEST_LINE = /^POST (\/[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*) HTTP\/1\.1$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const HOST = /^[A-Za-z0-9.\-_:[\]]+$/;
const LENGTH = /^\d{1,10}$/;

/** Fields that change what the bytes after the head mean, or what becomes of the connection. */
const NOT_HERE: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'trailer',
  'expect',
  'upgrade',
  'proxy-connection',
  // The one field that node:http gives as a list.
  'set-cookie',
]);

/**
 * The head at the start of `bytes`; `more`: so far it is the beginning of one; undefined: it is another request,
 * or one that is to be judged by node:http.
 *
 * @param known the head that came before it on the connection
 */
export function takeHead(bytes: Buffer, known: KnownHead | undefined): KnownHead | 'more' | undefined {
  if (known !== undefined && startsWith(bytes, known.bytes)) return known;
  const end = bytes.indexOf(END);
  if (end < 0) return mayBecomeHead(bytes) ? 'more' : undefined;
  if (end > MOST_HEAD_BYTES) return undefined;
  const head = parseHead(bytes.toString('latin1', 0, end));
  return head === undefined ? undefined : { bytes: Buffer.from(bytes.subarray(0, end + END.length)), head };
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  const { length } = prefix;
  return bytes.length >= length && bytes.compare(prefix, 0, length, 0, length) === 0;
}

/** Complete lines must be those of a head: node:http refuses others as soon as they are there. */
function mayBecomeHead(bytes: Buffer): boolean {
  if (bytes.length > MOST_HEAD_BYTES) return false;
  const known = Math.min(bytes.length, START.length);
  if (bytes.compare(START, 0, known, 0, known) !== 0) return false;
  const lines = bytes.toString('latin1').split('\r\n');
  const last = lines.pop() ?? '';
  if (!VALUE.test(last.endsWith('\r') ? last.slice(0, -1) : last)) return false;
  const [first, ...fields] = lines;
  return (first === undefined || REQUEST_LINE.test(first)) && fields.every((line) => isField(line));
}

function isField(line: string): boolean {
  const colon = line.indexOf(':');
  return colon > 0 && TOKEN.test(line.slice(0, colon)) && VALUE.test(line.slice(colon + 1));
}

/**
 * A head without the empty line that ends it; undefined where it is anything but an inference said plainly: all of
 * RFC 9112's ways to say one thing twice, or two things at once, are left to node:http.
 */
export function parseHead(text: string): InferHead | undefined {
  const lineEnd = text.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const target = REQUEST_LINE.exec(text.slice(0, lineEnd))?.[1];
  const path = target === undefined ? undefined : matchInferPath(target);
  const headers = path === undefined ? undefined : parseFields(text, lineEnd + 2);
  if (path === undefined || headers === undefined) return undefined;
  const { host, connection, 'content-length': length } = headers;
  if (host === undefined || !HOST.test(host)) return undefined;
  if (length === undefined || !LENGTH.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  return readMeaning(path, headers, Number(length));
}

type Fields = Record<string, string>;

function parseFields(text: string, from: number): Fields | undefined {
  const fields = Object.create(null) as Fields;
  let count = 0;
  for (let at = from; at <= text.length; ) {
    const found = text.indexOf('\r\n', at);
    const lineEnd = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    if (colon <= at || colon >= lineEnd || ++count > MOST_FIELDS) return undefined;
    const spelled = text.slice(at, colon);
    const value = text.slice(skipSpace(text, colon + 1, lineEnd), lineEnd);
    if (!TOKEN.test(spelled) || !VALUE.test(value)) return undefined;
    const name = spelled.toLowerCase();
    if (fields[name] !== undefined || NOT_HERE.has(name)) return undefined;
    // Which space may follow which value is a question that llhttp answers field by field.
    if (value !== '' && isSpace(value.charCodeAt(value.length - 1))) return undefined;
    fields[name] = value;
    at = lineEnd + 2;
  }
  return fields;
}

/** Not `trim`, which takes away more than the spaces and tabs of RFC 9110, 5.6.3. */
function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function isSpace(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

/** What is refused for its name, media type or form is refused by node:http's side, before its body is read. */
function readMeaning(path: InferPath, headers: Fields, bodyBytes: number): InferHead | undefined {
  try {
    return {
      headers,
      name: decodeSegment(path.model, 'model'),
      version: path.version === undefined ? undefined : decodeSegment(path.version, 'version'),
      route: inferRouteOf(path),
      headerLength: readForm({ headers }),
      bodyBytes,
    };
  } catch {
    return undefined;
  }
}
