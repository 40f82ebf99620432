import type { HpackDecoder } from './hpack-decoder.ts';
import { FIELD_OVERHEAD_BYTES } from './hpack-decoder.ts';

/** Fields of a request or of trailers, by their names in lower case. Several of one name are joined. */
export type Headers = Readonly<Record<string, string>>;

/** `malformed`: it is none by RFC 9113, 8; `too large`: the fields are more than was allowed. */
export type HeadersRead = Headers | 'malformed' | 'too large';

export interface HeaderReader {
  /**
   * The headers of a request. Must be called with every header block of the connection, in order; so that a request like
   * the last one costs next to nothing, the object may be the same one as before.
   * @throws ConnectionError COMPRESSION_ERROR
   */
  readRequest(block: Buffer): HeadersRead;
  /** The same for what follows a request's data. */
  readTrailers(block: Buffer): HeadersRead;
}

/** The pseudo-headers of a request (RFC 9113, 8.3.1); `:protocol` is for those who ask for extended CONNECT. */
const PSEUDO = new Set([':method', ':scheme', ':authority', ':path']);

/** They mean a connection of HTTP/1.1 (RFC 9113, 8.2.2). */
const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Those that cannot be joined: the first counts, as in node:http2. */
const SINGLE = new Set([
  'content-type',
  'content-length',
  'user-agent',
  'authorization',
  'host',
  'from',
  'referer',
]);

/** A field's name (RFC 9110, 5.6.2), in lower case (RFC 9113, 8.2.1). */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** What a value must not hold (RFC 9113, 8.2.1). */
const NO_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/** Blocks up to this are remembered. */
const LONGEST_REMEMBERED = 512;

/** @param maxListBytes of all fields together, each counted with 32 bytes besides its text (RFC 9113, 6.5.2) */
export function createHeaderReader(decoder: HpackDecoder, maxListBytes: number): HeaderReader {
  const last = Buffer.allocUnsafe(LONGEST_REMEMBERED);
  let lastLength = 0;
  let lastHeaders: Headers | undefined;
  let lastChanges = -1;

  function read(block: Buffer, isRequest: boolean): HeadersRead {
    // Whatever name a client thinks of is not there yet.
    const headers: Record<string, string> = Object.create(null);
    let sizeBytes = 0;
    let isMalformed = false;
    let isBehindPseudo = false;
    decoder.decode(block, (name, value) => {
      sizeBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
      // The rest must be read all the same, or nothing on the connection could be any more.
      if (isMalformed || sizeBytes > maxListBytes) return;
      if (name.startsWith(':')) {
        isMalformed = !isRequest || isBehindPseudo || !PSEUDO.has(name) || headers[name] !== undefined;
      } else {
        isBehindPseudo = true;
        isMalformed = !NAME.test(name) || OF_CONNECTIONS.has(name) || (name === 'te' && value !== 'trailers');
      }
      if (NO_VALUE.test(value) || (name === 'content-length' && isOther(headers[name], value)))
        isMalformed = true;
      if (!isMalformed) add(headers, name, value);
    });
    if (sizeBytes > maxListBytes) return 'too large';
    return isMalformed || (isRequest && !isWhole(headers)) ? 'malformed' : headers;
  }

  return {
    readRequest(block) {
      const { length } = block;
      const isKnown =
        length === lastLength &&
        lastChanges === decoder.changes &&
        last.compare(block, 0, length, 0, length) === 0;
      if (isKnown && lastHeaders !== undefined) return lastHeaders;
      const { changes } = decoder;
      const headers = read(block, true);
      const isRepeatable =
        typeof headers !== 'string' && length <= LONGEST_REMEMBERED && changes === decoder.changes;
      if (isRepeatable) {
        block.copy(last);
        lastLength = length;
        lastChanges = changes;
        lastHeaders = headers;
      }
      return headers;
    },
    readTrailers: (block) => read(block, false),
  };
}

/** RFC 9110, 5.3; RFC 9113, 8.2.3. */
function add(headers: Record<string, string>, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else if (name === 'cookie') headers[name] = `${before}; ${value}`;
  else if (!SINGLE.has(name)) headers[name] = `${before}, ${value}`;
}

/** Lengths that contradict each other (RFC 9110, 8.6). */
function isOther(before: string | undefined, value: string): boolean {
  return before !== undefined && before !== value;
}

/** RFC 9113, 8.3.1. */
function isWhole(headers: Headers): boolean {
  const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority } = headers;
  if (method === 'CONNECT') return scheme === undefined && path === undefined && authority !== undefined;
  // CONNECT alone has no path, and OPTIONS alone may have '*'.
  return !!method && !!scheme && (path?.startsWith('/') === true || (path === '*' && method === 'OPTIONS'));
}
