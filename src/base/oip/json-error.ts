import { invalidInput, type NimifyError } from '../errors/nimify-error.ts';

/** Path of the value being read, such as `inputs[0].shape`; a function where building it costs something. */
export type Where = string | (() => string);

/** "inputs[0].shape: expected an array, got the number 5 (byte 41)". `at` is where the wrong thing starts. */
export function expectedError(where: Where, expected: string, bytes: Uint8Array, at: number): NimifyError {
  return mismatchError(where, expected, `${describe(bytes, at)} (byte ${at})`);
}

/** The same for something that was read and does not fit. */
export function mismatchError(where: Where, expected: string, got: string): NimifyError {
  const place = typeof where === 'string' ? where : where();
  return invalidInput(`${place}: expected ${expected}, got ${got}`, { where: place, expected, got });
}

const LONGEST_EXCERPT = 40;

/** What stands at `at`, in few words. The content of strings is left out: it may be private. */
function describe(bytes: Uint8Array, at: number): string {
  const byte = bytes[at];
  if (byte === undefined) return 'the end of the JSON';
  const char = String.fromCharCode(byte);
  if (char === '"') return 'a string';
  if (char === '[') return 'an array';
  if (char === '{') return 'an object';
  const word = excerpt(bytes, at);
  if (char === '-' || (char >= '0' && char <= '9')) return `the number ${word}`;
  if (word !== '') return `the word ${word}`;
  if (byte > 0x20 && byte < 0x7f) return `the character ${char}`;
  return `the byte 0x${byte.toString(16).padStart(2, '0')}`;
}

/** Letters, digits and the signs of numbers from `at` on. */
function excerpt(bytes: Uint8Array, at: number): string {
  let text = '';
  for (let index = at; index < bytes.length; index++) {
    const char = String.fromCharCode(bytes[index]!);
    const isWord =
      (char >= '0' && char <= '9') || (char >= 'A' && char <= 'Z') || (char >= 'a' && char <= 'z');
    if (!isWord && char !== '-' && char !== '+' && char !== '.') break;
    if (text.length === LONGEST_EXCERPT) return `${text}...`;
    text += char;
  }
  return text;
}

/** "1 element", "2 elements". */
export function elementsText(count: number): string {
  return count === 1 ? '1 element' : `${count} elements`;
}
