import pc from 'picocolors';

export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
}

/**
 * Colours for a terminal, plain text for files and pipes, and where NO_COLOR (no-color.org) or a dumb terminal
 * asks for it. Decided here, since picocolors would take the flag `--color` of `predict` for its own.
 */
export function styleFor(stream: { readonly isTTY?: boolean }): Style {
  const { NO_COLOR = '', TERM } = process.env;
  return pc.createColors(stream.isTTY === true && NO_COLOR === '' && TERM !== 'dumb');
}
