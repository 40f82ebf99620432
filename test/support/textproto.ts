import type { TextField, TextMessage, TextValue } from '../../src/base/textproto/text-tree.ts';

/** How a message is laid out; the reader must not care. */
export interface TextLayout {
  /** A number in [0, 1) for each free choice. */
  readonly choose: () => number;
}

/** Writes a message in protobuf's text format, each time in another of its spellings. */
export function printTextproto(message: Pick<TextMessage, 'fields'>, layout: TextLayout): string {
  const { choose } = layout;
  const pick = <T>(...options: readonly T[]): T => options[Math.floor(choose() * options.length)]!;
  const blank = () => pick(' ', '\n', '\t', '  ', ' # a comment: { "not read" }\n', '\r\n');
  const maybeBlank = () => pick('', '', blank());

  function fields(all: readonly TextField[]): string {
    return all.map((field) => `${maybeBlank()}${one(field)}${pick(',', ';', '', '')}${blank()}`).join('');
  }

  function one({ name, kind, value }: TextField): string {
    const written = kind === 'field' ? name : `[${maybeBlank()}${name}${maybeBlank()}]`;
    const isMessage =
      value.type === 'message' || (value.type === 'list' && value.items.every(isMessageValue));
    const colon = isMessage ? pick(':', '') : ':';
    const list = () => (value.type === 'list' ? value.items.map(single).join(`${maybeBlank()},`) : '');
    const text = value.type === 'list' ? `[${list()}${maybeBlank()}]` : single(value);
    return `${written}${maybeBlank()}${colon}${maybeBlank()}${text}`;
  }

  function single(value: TextValue): string {
    switch (value.type) {
      case 'message':
        return pick(`{${blank()}${fields(value.fields)}}`, `<${blank()}${fields(value.fields)}>`);
      case 'string':
        return strings(value.bytes);
      default:
        return `${value.negative ? `-${maybeBlank()}` : ''}${value.text}`;
    }
  }

  function strings(bytes: Uint8Array): string {
    const cut = Math.floor(choose() * (bytes.length + 1));
    if (bytes.length > 1 && choose() < 0.3)
      return `${strings(bytes.subarray(0, cut))}${maybeBlank()}${quoted(bytes.subarray(cut))}`;
    return quoted(bytes);
  }

  function quoted(bytes: Uint8Array): string {
    const quote = pick('"', "'");
    let text = '';
    for (const byte of bytes) text += character(byte, quote);
    return quote + text + quote;
  }

  function character(byte: number, quote: string): string {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c && byte !== quote.charCodeAt(0);
    if (isPlain && choose() < 0.9) return String.fromCharCode(byte);
    // Always as many digits as there can be: what follows might be one.
    return pick(`\\${byte.toString(8).padStart(3, '0')}`, `\\x${byte.toString(16).padStart(2, '0')}`);
  }

  return fields(message.fields);
}

function isMessageValue(value: TextValue): boolean {
  return value.type === 'message';
}
