import { InvalidArgumentError } from 'commander';

/** Of the commands that run a function once; `nimify serve` has it from the configuration. */
export const PYTHON_FLAG = [
  '--python <path>',
  "interpreter of Python functions (default: the active environment's, else python3)",
] as const;

/** Port numbers; 0 asks the system for a free one. */
export function toPort(text: string): number {
  return toWhole(text, 0, 65_535, 'a port from 0 (any free one) to 65535');
}

export function toPositive(text: string): number {
  return toWhole(text, 1, Number.MAX_SAFE_INTEGER, 'a whole number of at least 1');
}

export function toMilliseconds(text: string): number {
  return toWhole(text, 0, 2 ** 31 - 1, 'a whole number of milliseconds');
}

/** `a,b` as two names. */
export function toNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('expected names with commas between them.');
  return names;
}

function toWhole(text: string, min: number, max: number, expected: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`expected ${expected}.`);
}
