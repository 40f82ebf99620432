import { joinBytes } from './quoted.ts';
import type { TextPlace } from './text-error.ts';
import type { TextField, TextList, TextMessage, TextValue } from './text-tree.ts';
import { createTokens, type Token, type Tokens } from './tokens.ts';

/** As protobuf's own readers: a message within a message, so many times. */
const MAX_DEPTH = 100;

/**
 * Reads protobuf's text format (protobuf.dev, "Text Format Language Specification"), all of it. Extensions and
 * expanded Any values are read as they are written; whoever knows the types may refuse them.
 * @param file name for the errors
 * @throws NimifyError INVALID_INPUT with line and column
 */
export function readTextproto(text: string, file: string): TextMessage {
  const tokens = createTokens(text, file);
  const at = tokens.next.at;
  const fields = readFields(tokens, 0);
  if (tokens.next.type !== 'end') {
    unexpected(tokens, 'a field, or the end of the file', 'there is no bracket open that it could close');
  }
  return { type: 'message', fields, at };
}

function readFields(tokens: Tokens, depth: number): readonly TextField[] {
  const fields: TextField[] = [];
  while (tokens.next.type === 'word' || isMark(tokens.next, '[')) fields.push(readField(tokens, depth));
  return fields;
}

function readField(tokens: Tokens, depth: number): TextField {
  const { at } = tokens.next;
  const { name, kind } = readName(tokens);
  const hasColon = takeMark(tokens, ':');
  const value = isMark(tokens.next, '[') ? readList(tokens, depth) : readValue(tokens, depth);
  const isScalar = value.type === 'list' ? value.items.some(isNoMessage) : isNoMessage(value);
  if (isScalar && !hasColon) {
    tokens.fail({ at, says: `expected ':' between '${name}' and its value`, expected: ':' });
  }
  // One separator, of either kind, may follow a field.
  if (!takeMark(tokens, ',')) takeMark(tokens, ';');
  return { name, kind, value, at };
}

function isNoMessage(value: TextValue): boolean {
  return value.type !== 'message';
}

function readName(tokens: Tokens): Pick<TextField, 'name' | 'kind'> {
  if (!takeMark(tokens, '[')) return { name: takeWord(tokens, 'the name of a field'), kind: 'field' };
  const first = readDotted(tokens);
  const type = takeMark(tokens, '/') ? readDotted(tokens) : undefined;
  close(tokens, ']');
  return type === undefined ? { name: first, kind: 'extension' } : { name: `${first}/${type}`, kind: 'any' };
}

function readDotted(tokens: Tokens): string {
  let name = takeWord(tokens, 'a name');
  while (takeMark(tokens, '.')) name += `.${takeWord(tokens, 'a name')}`;
  return name;
}

function readList(tokens: Tokens, depth: number): TextList {
  const { at } = tokens.take();
  const items: TextValue[] = [];
  if (!isMark(tokens.next, ']')) {
    do items.push(readValue(tokens, depth));
    while (takeMark(tokens, ','));
  }
  close(tokens, ']', at);
  const mixed = items.find((item) => isNoMessage(item) !== isNoMessage(items[0]!));
  if (mixed !== undefined) {
    tokens.fail({ at: mixed.at, says: 'messages and plain values stand in one list; keep to one of them' });
  }
  return { type: 'list', items, at };
}

function readValue(tokens: Tokens, depth: number): TextValue {
  const { at } = tokens.next;
  const negative = takeMark(tokens, '-');
  const token = tokens.next;
  if (token.type === 'number') {
    tokens.take();
    return { type: 'number', text: token.text, format: token.format, negative, at };
  }
  if (token.type === 'word') {
    tokens.take();
    return { type: 'word', text: token.text, negative, at };
  }
  if (negative) return unexpected(tokens, 'a number after the minus sign');
  if (token.type === 'string') return { type: 'string', bytes: readStrings(tokens), at };
  if (isMark(token, '{')) return readMessage(tokens, '}', depth + 1);
  if (isMark(token, '<')) return readMessage(tokens, '>', depth + 1);
  return unexpected(tokens, 'a value: a number, a "text", a word, or a message in { }');
}

function readStrings(tokens: Tokens): Uint8Array {
  const parts: Uint8Array[] = [];
  while (tokens.next.type === 'string') {
    parts.push(tokens.next.bytes);
    tokens.take();
  }
  return joinBytes(parts);
}

function readMessage(tokens: Tokens, end: '}' | '>', depth: number): TextMessage {
  const { at } = tokens.take();
  if (depth > MAX_DEPTH)
    tokens.fail({ at, says: `expected at most ${MAX_DEPTH} messages within each other` });
  const fields = readFields(tokens, depth);
  close(tokens, end, at);
  return { type: 'message', fields, at };
}

function isMark(token: Token, text: string): boolean {
  return token.type === 'mark' && token.text === text;
}

function takeMark(tokens: Tokens, text: string): boolean {
  if (!isMark(tokens.next, text)) return false;
  tokens.take();
  return true;
}

function takeWord(tokens: Tokens, expected: string): string {
  const token = tokens.next;
  if (token.type !== 'word') return unexpected(tokens, expected);
  tokens.take();
  return token.text;
}

function close(tokens: Tokens, mark: ']' | '}' | '>', opened?: TextPlace): void {
  if (takeMark(tokens, mark)) return;
  const since = opened === undefined ? '' : `, for the bracket opened at ${opened.line}:${opened.column}`;
  unexpected(tokens, `'${mark}'${since}`);
}

function unexpected(tokens: Tokens, expected: string, why?: string): never {
  const token = tokens.next;
  const got = describe(token);
  const because = why === undefined ? '' : `; ${why}`;
  return tokens.fail({ at: token.at, says: `expected ${expected}, got ${got}${because}`, expected, got });
}

function describe(token: Token): string {
  switch (token.type) {
    case 'end':
      return 'the end of the file';
    case 'string':
      return 'a text';
    default:
      return `'${token.text}'`;
  }
}
