import { describe, expect, it } from 'vitest';
import { createJsonWriter } from './json-writer.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const utf8 = (value: string) => Buffer.from(value);

/** What the writer makes of UTF-8 bytes within a longer text. */
function quoted(value: string): string {
  const writer = createJsonWriter();
  const bytes = Buffer.concat([utf8('before'), utf8(value), utf8('after')]);
  writer.utf8(bytes, 6, bytes.length - 5);
  return text(writer.take());
}

describe('JsonWriter', () => {
  it('escapes what JSON wants escaped, and nothing else', () => {
    for (let code = 0; code < 0x20; code += 1) {
      const char = String.fromCharCode(code);
      expect(quoted(char)).toBe(JSON.stringify(char));
    }
    expect(quoted('a"b\\c/d\x7fé数😀')).toBe('"a\\"b\\\\c/d\x7fé数😀"');
    expect(quoted('')).toBe('""');
  });

  it('grows with the text, whichever way it comes, and keeps what was there', () => {
    const writer = createJsonWriter();
    const long = 'x'.repeat(40_000);
    const escaped = '\u0001'.repeat(40_000);
    const wide = '数'.repeat(40_000);
    writer.ascii('[');
    writer.ascii(long);
    writer.ascii(',');
    writer.utf8(utf8(escaped), 0, escaped.length);
    writer.ascii(',');
    writer.string(wide);
    writer.ascii(']');
    expect(text(writer.take())).toBe(`[${long},${'"'}${'\\u0001'.repeat(40_000)}",${JSON.stringify(wide)}]`);
  });

  it('fits in exactly, byte by byte', () => {
    const writer = createJsonWriter();
    writer.ascii('x');
    const { bytes } = writer;
    writer.ascii('y'.repeat(bytes.length - 1));
    expect(writer.at).toBe(bytes.length);
    expect(writer.bytes).toBe(bytes);
    writer.ascii('z');
    expect(writer.bytes.length).toBeGreaterThan(bytes.length);
    expect(text(writer.take()).slice(-3)).toBe('yyz');
  });

  it('hands the text out where it stands and begins the next one behind it', () => {
    const writer = createJsonWriter();
    writer.ascii('first');
    const first = writer.take();
    writer.ascii('2nd');
    const second = writer.take();
    expect([text(first), text(second)]).toEqual(['first', '2nd']);
    expect(second.buffer).toBe(first.buffer);
    writer.ascii('half');
    writer.clear();
    expect(text(writer.take())).toBe('');
  });

  it('never touches again what it has handed out', () => {
    const writer = createJsonWriter();
    const texts: Uint8Array[] = [];
    for (let size = 0; size < 2000; size += 7) {
      writer.ascii('dropped');
      writer.clear();
      writer.ascii(String(size % 10).repeat(size));
      texts.push(writer.take());
    }
    for (const [index, bytes] of texts.entries()) {
      expect(text(bytes)).toBe(String((index * 7) % 10).repeat(index * 7));
    }
  });

  it('writes numbers, and those that are not finite as strings', () => {
    const writer = createJsonWriter();
    for (const value of [0, -0, 1.5, -2e300, 5e-324, Number.NaN, Number.POSITIVE_INFINITY]) {
      writer.number(value);
      writer.ascii(' ');
    }
    expect(text(writer.take())).toBe('0 -0.0 1.5 -2e+300 5e-324 "NaN" "Infinity" ');
  });

  it('writes any string as JSON.stringify does', () => {
    const writer = createJsonWriter();
    for (const value of ['', 'plain', 'a"b', 'a\\b', 'tab\t', 'del\x7f', 'é', '数😀', '\0']) {
      writer.string(value);
      expect(text(writer.take())).toBe(JSON.stringify(value));
    }
  });

  it('escapes lone surrogates, so that the text stays UTF-8', () => {
    const writer = createJsonWriter();
    writer.string('a\ud800b');
    expect(text(writer.take())).toBe('"a\\ud800b"');
  });
});
