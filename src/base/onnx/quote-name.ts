const SHOWN_LENGTH = 100;
/** Control characters, which could steer the terminal that shows a message. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** A name out of a file, made fit to stand in a message: quoted, of bounded length, on one line. */
export function quoteName(name: string): string {
  const shown = name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}...` : name;
  return `'${shown.replace(CONTROL, '?')}'`;
}
