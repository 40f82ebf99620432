import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './hpack-decoder.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { createHeaderReader } from './request-headers.ts';

const REQUEST = { ':method': 'POST', ':scheme': 'http', ':path': '/a' };
const plain = (fields: Readonly<Record<string, string>>) => Buffer.from(new HpackEncoder().encode(fields));
const openReader = () => createHeaderReader(new HpackDecoder(), 1000);

/** `:path` with a value that the client's side of the table keeps from then on. */
const kept = (path: string) => Buffer.concat([Buffer.of(0x44, path.length), Buffer.from(path)]);
const postOverHttp = Buffer.of(0x83, 0x86);
const NEWEST = Buffer.of(0xbe);

describe('a reader of header blocks', () => {
  it('reads a block like the last one without a new object', () => {
    const reader = openReader();
    const block = plain(REQUEST);
    const headers = reader.readRequest(block);
    expect(headers).toEqual(REQUEST);
    expect(reader.readRequest(Buffer.from(block))).toBe(headers);
    expect(reader.readRequest(plain({ ...REQUEST, ':path': '/b' }))).toEqual({ ...REQUEST, ':path': '/b' });
  });

  it('reads a block anew where the same bytes mean something else by now', () => {
    const reader = openReader();
    const same = Buffer.concat([postOverHttp, NEWEST]);
    const paths = (block: Buffer) => (reader.readRequest(block) as Record<string, string>)[':path'];
    expect(paths(Buffer.concat([postOverHttp, kept('/a')]))).toBe('/a');
    expect([paths(same), paths(same)]).toEqual(['/a', '/a']);
    // In trailers too, though none of theirs may be a path.
    expect(reader.readTrailers(kept('/b'))).toBe('malformed');
    expect([paths(same), paths(same)]).toEqual(['/b', '/b']);
    expect(paths(Buffer.concat([postOverHttp, kept('/c')]))).toBe('/c');
    expect(paths(same)).toBe('/c');
  });

  it('remembers no refusal as a request', () => {
    const reader = openReader();
    const block = plain({ ...REQUEST, connection: 'close' });
    for (let count = 0; count < 3; count += 1) expect(reader.readRequest(block)).toBe('malformed');
    const large = plain({ ...REQUEST, 'x-large': 'x'.repeat(900) });
    for (let count = 0; count < 3; count += 1) expect(reader.readRequest(large)).toBe('too large');
    expect(reader.readRequest(plain(REQUEST))).toEqual(REQUEST);
  });
});
