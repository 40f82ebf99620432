import { NimifyError } from '../errors/nimify-error.ts';

/** A place in a text; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** A whole sentence: where, what was expected, what came, what to do. */
  readonly message: string;
  /** Variable, or path of the setting. */
  readonly where: string;
  readonly at?: Place;
  readonly expected?: unknown;
  readonly got?: unknown;
}

const MOST_TOLD = 10;

/** One error for all that is wrong, so that a file is mended in one go. Its details are of the first. */
export function configError(problems: readonly Problem[], cause?: unknown): NimifyError {
  const told = problems.slice(0, MOST_TOLD).map(({ message }) => message);
  if (problems.length > MOST_TOLD) told.push(`and ${problems.length - MOST_TOLD} more`);
  const message =
    told.length === 1
      ? told.join()
      : `the configuration has ${problems.length} faults:\n- ${told.join('\n- ')}`;
  const [first] = problems;
  const { where = 'configuration', at, expected, got } = first ?? {};
  return new NimifyError('CONFIG_INVALID', message, {
    details: {
      where,
      ...at,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
    },
    ...(cause === undefined ? {} : { cause }),
  });
}

const LONGEST_SHOWN = 60;

/** A value as an error shows it. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${clip(value)}'`;
  if (typeof value === 'number') return String(value);
  return clip(JSON.stringify(value) ?? typeof value);
}

function clip(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}...`;
}
