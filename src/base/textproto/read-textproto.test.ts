import { describe, expect, it } from 'vitest';
import { readTextproto } from './read-textproto.ts';
import type { TextField } from './text-tree.ts';

function read(text: string): readonly TextField[] {
  return readTextproto(text, 'config.pbtxt').fields;
}

function stringOf(text: string): string {
  const value = read(`a: ${text}`)[0]!.value;
  if (value.type !== 'string') throw new Error(`a ${value.type}`);
  return new TextDecoder('utf-8', { fatal: true }).decode(value.bytes);
}

describe('readTextproto', () => {
  it('reads messages with and without a colon, in either bracket, and lists of them', () => {
    const fields = read('a { b: 1 } c: < d { } > e [ { }, { f: X } ] g: []');
    expect(fields.map(({ name, value }) => [name, value.type])).toEqual([
      ['a', 'message'],
      ['c', 'message'],
      ['e', 'list'],
      ['g', 'list'],
    ]);
  });

  it('keeps the place of every field and value', () => {
    const [, second] = read('# a comment\na: 1\n  b:\n    -2');
    expect(second).toMatchObject({
      name: 'b',
      at: { line: 3, column: 3 },
      value: { at: { line: 4, column: 5 } },
    });
  });

  it.each([
    ["'single'", 'single'],
    ['"two" \'parts\'\n# between\n"joined"', 'twopartsjoined'],
    [String.raw`"\a\b\f\n\r\t\v\?\\\'\""`, '\x07\b\f\n\r\t\v?\\\'"'],
    [String.raw`"\1234"`, 'S4'],
    [String.raw`"\x213 \x4"`, '!3 \x04'],
    [String.raw`"\303\251\u00e9\U0001F600"`, 'éé😀'],
    [String.raw`"\ud83d\ude00"`, '😀'],
    ['"it\'s"', "it's"],
    ['"é # no comment"', 'é # no comment'],
  ])('reads the text %s', (written, expected) => {
    expect(stringOf(written)).toBe(expected);
  });

  it.each(['10', '0', '017', '0xFf', '1.', '.5', '1e5', '1.5E-3f', '10F'])('reads the number %s', (text) => {
    expect(read(`a: ${text}`)[0]!.value).toMatchObject({ type: 'number', text });
    expect(read(`a:-${text} b: 1`)[0]!.value).toMatchObject({ text, negative: true });
  });

  it('reads a minus sign apart from its number, and words with one', () => {
    expect(read('a: - # why not\n 2.0 b: -inf').map(({ value }) => value)).toMatchObject([
      { text: '2.0', negative: true },
      { type: 'word', text: 'inf', negative: true },
    ]);
  });

  it('reads the names of extensions and of Any values', () => {
    expect(read('[com.example.ext]: 20,[type.googleapis.com/a.B] { }')).toMatchObject([
      { name: 'com.example.ext', kind: 'extension' },
      { name: 'type.googleapis.com/a.B', kind: 'any' },
    ]);
  });

  it.each([
    ['name: "a"\nmax_batch_size 8', '2:1', "expected ':' between 'max_batch_size' and its value"],
    ['a [1, 2]', '1:1', "expected ':' between 'a' and its value"],
    [
      'input [\n  { name: "x" }\n',
      '3:1',
      "expected ']', for the bracket opened at 1:7, got the end of the file",
    ],
    ['a {\n  b: 1\n>', '3:1', "expected '}', for the bracket opened at 1:3, got '>'"],
    ['a: 1 }', '1:6', "expected a field, or the end of the file, got '}'"],
    ['a: 10bar', '1:4', "'10bar' is no number; put a space or a comma between values"],
    ['a: 08', '1:4', "'08' is no number"],
    ['a: 0x', '1:4', "'0x' is no number"],
    ['a: 1.2.3', '1:4', "'1.2.3' is no number"],
    ['a: [1,]', '1:7', 'expected a value: a number, a "text", a word, or a message in { }, got \']\''],
    ['a: [1, {}]', '1:8', 'messages and plain values stand in one list'],
    ['a: "open\nb: 1', '1:4', 'the text is not closed on this line'],
    [String.raw`a: "\q"`, '1:5', String.raw`\q is no escape`],
    [String.raw`a: "\400"`, '1:5', String.raw`\400 is more than a byte`],
    [String.raw`a: "\U00110000"`, '1:5', 'U+110000 is beyond the last character'],
    [String.raw`a: "\ud800x"`, '1:5', 'U+D800 is half a character'],
    ['a: 1;;', '1:6', "expected a field, or the end of the file, got ';'"],
    ['a: -"x"', '1:5', 'expected a number after the minus sign, got a text'],
    ['a: \u0000', '1:4', 'U+0000 has no meaning here'],
    ['// c\na: 1', '1:1', "expected a field, or the end of the file, got '/'"],
    ['[a.]: 1', '1:4', "expected a name, got ']'"],
    [`${'a{'.repeat(200)}`, '1:202', 'expected at most 100 messages within each other'],
  ])('refuses %s', (text, place, says) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(`config.pbtxt:${place}: ${says}`),
      }),
    );
  });
});
