import { readQuoted } from './quoted.ts';
import { type TextPlace, type TextProblem, textError } from './text-error.ts';
import type { TextNumber } from './text-tree.ts';

export type Token =
  | { readonly type: 'word'; readonly text: string; readonly at: TextPlace }
  | { readonly type: 'number'; readonly text: string; readonly format: NumberFormat; readonly at: TextPlace }
  | { readonly type: 'string'; readonly bytes: Uint8Array; readonly at: TextPlace }
  | { readonly type: 'mark'; readonly text: string; readonly at: TextPlace }
  | { readonly type: 'end'; readonly at: TextPlace };

type NumberFormat = TextNumber['format'];

export interface Tokens {
  /** The token that comes next; it stays next until `take`. */
  readonly next: Token;
  take(): Token;
  /** @throws NimifyError INVALID_INPUT */
  fail(problem: TextProblem): never;
}

const BLANK = /(?:[ \n\t\v\f\r]+|#[^\n]*)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const MARKS = '{}<>[]:;,-/.';

/** The longest match wins, so a float stands before the integer that it begins with. */
const NUMBERS: readonly (readonly [NumberFormat, RegExp])[] = [
  ['hexadecimal', /0[xX][0-9a-fA-F]+/y],
  [
    'float',
    /(?:(?:(?:0|[1-9]\d*)\.\d*|\.\d+)(?:[eE][+-]?\d+)?|(?:0|[1-9]\d*)[eE][+-]?\d+)[fF]?|(?:0|[1-9]\d*)[fF]/y,
  ],
  ['octal', /0[0-7]+/y],
  ['decimal', /0|[1-9]\d*/y],
];

/** What may not follow a number at once: `10bar`, `08`, `1.2.3`, `0x`. */
const STUCK = /[A-Za-z0-9_.]+/y;

/** Splits a text as the text format's specification does (protobuf.dev, "Lexical Elements"). */
export function createTokens(text: string, file: string): Tokens {
  // Editors of another system may leave a byte order mark.
  let offset = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  let lineStart = offset;
  let next: Token = { type: 'end', at: { line: 1, column: 1 } };

  function place(): TextPlace {
    return { line, column: offset - lineStart + 1 };
  }

  function fail(problem: TextProblem): never {
    throw textError(file, [problem]);
  }

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = offset;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) offset += found.length;
    return found;
  }

  function skipBlank(): void {
    const from = offset;
    if (match(BLANK) === undefined) return;
    for (let at = text.indexOf('\n', from); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
      line += 1;
      lineStart = at + 1;
    }
  }

  function read(): Token {
    skipBlank();
    const at = place();
    if (offset >= text.length) return { type: 'end', at };
    const first = text[offset]!;
    const word = match(WORD);
    if (word !== undefined) return { type: 'word', text: word, at };
    if (first === '"' || first === "'") {
      const { bytes, end } = readQuoted(text, offset, (from, says) =>
        fail({ at: { line, column: from - lineStart + 1 }, says }),
      );
      offset = end;
      return { type: 'string', bytes, at };
    }
    const number = readNumber(at);
    if (number !== undefined) return number;
    if (MARKS.includes(first)) {
      offset += 1;
      return { type: 'mark', text: first, at };
    }
    const code = text.codePointAt(offset)!;
    const shown = code < 0x20 || code === 0x7f ? codePoint(code) : `'${String.fromCodePoint(code)}'`;
    return fail({ at, says: `${shown} has no meaning here; texts stand between quotes, comments after #` });
  }

  function readNumber(at: TextPlace): Token | undefined {
    for (const [format, pattern] of NUMBERS) {
      const digits = match(pattern);
      if (digits === undefined) continue;
      const stuck = match(STUCK);
      if (stuck !== undefined) {
        const got = digits + stuck;
        fail({ at, says: `'${got}' is no number; put a space or a comma between values`, got });
      }
      return { type: 'number', text: digits, format, at };
    }
    return undefined;
  }

  next = read();
  return {
    get next() {
      return next;
    },
    take() {
      const token = next;
      next = read();
      return token;
    },
    fail,
  };
}

function codePoint(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
